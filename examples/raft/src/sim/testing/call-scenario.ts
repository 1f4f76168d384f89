// Plain calls between clients and servers that crash and come back. The scenario checks a
// transport's promises to its users on each call.

import type { NodeContext, Simulation } from '@trunkline/simulation';
import {
  bytes,
  defineProtocol,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';

const protocol = defineProtocol({
  name: 'calls',
  version: 1,
  channel: 0x21,
  methods: { work: { id: 1, request: bytes, response: bytes } },
});

/**
 * Lets servers crash and return, and cuts links, for a while; then everything is calm. Rejects with
 * the promise that was broken.
 */
export async function callScenario(sim: Simulation): Promise<void> {
  const calls = new Calls(sim);
  for (const name of SERVERS) sim.node(name, (context) => calls.serve(context));
  const clients = CLIENTS.map((name) => sim.client(protocol, { name }));
  const work = clients.flatMap((transport, i) =>
    SERVERS.flatMap((server) =>
      [0, 1].map((lane) => calls.keepCalling(transport, server, `${CLIENTS[i]}.${lane}`)),
    ),
  );
  scheduleFaults(sim, clients[0]!.random);
  await sim.run(END - sim.now);
  await sim.settle(Promise.all(work), 10 * TIMEOUT);
  await sim.run(0);
}

function scheduleFaults(sim: Simulation, random: () => number): void {
  const one = (names: readonly string[]) => names[Math.floor(random() * names.length)]!;
  for (let at = 1_000; at < PEACE - 3_000; at += 300 + random() * 2_000) {
    const [node, from] = [one(SERVERS), one(CLIENTS)];
    const end = at + random() * 2_000;
    const chance = random();
    if (chance < 0.4)
      sim.schedule([
        { at, do: 'crash', node, power: chance < 0.12 ? 'lost' : 'kept' },
        { at: end, do: 'restart', node },
      ]);
    else if (chance < 0.7) sim.schedule([{ at, do: 'reset', from, to: node }]);
    else
      sim.schedule([
        { at, do: 'cut', from, to: node },
        { at: end, do: 'heal' },
      ]);
  }
  sim.schedule([{ at: PEACE, do: 'recover' }]);
}

/** Both ends of all calls, and what they find broken. */
class Calls {
  readonly #sim: Simulation;
  /** The server that did each piece of work. */
  readonly #done = new Map<string, string>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /**
   * Serves `work`: the answer names the server and the work. The handler overwrites the request, as
   * a reader may.
   */
  async serve({ name, transport: open, clock }: NodeContext) {
    const transport = open(protocol);
    await transport.listen();
    const life = `${name} at ${this.#sim.now}`;
    serve(transport, {
      work: async (request) => {
        const text = decoder.decode(request);
        request.fill(0);
        const other = this.#done.get(text);
        if (other !== undefined)
          this.#broken('a call is never executed twice', `${other} and ${life} did '${text}'`);
        this.#done.set(text, life);
        if (transport.random() < 0.5) await clock.sleep(transport.random() * 2 * TIMEOUT);
        return encoder.encode(`${name} did ${text}`);
      },
    });
    return () => transport.close();
  }

  /** Makes one call after the other, and checks each. */
  async keepCalling(
    transport: Transport<typeof protocol>,
    server: string,
    name: string,
  ): Promise<void> {
    const { clock, random } = transport;
    let calmAnswers = 0;
    for (let count = 1; clock.now() < END; count++) {
      await clock.sleep(random() * 100);
      const text = `${name} to ${server} number ${count}`;
      const request = encoder.encode(text);
      const began = clock.now();
      const isCalm = began > PEACE + CALM / 2;
      let settled = false;
      this.#sim.at(began + TIMEOUT + SLACK, () => {
        if (!settled)
          this.#broken('a call ends by its deadline', `'${text}' is open ${SLACK} ms after it`);
      });
      try {
        const answer = await transport.send(server, 'work', request, { timeout: TIMEOUT });
        const got = decoder.decode(answer);
        if (isCalm) calmAnswers++;
        answer.fill(0);
        if (got !== `${server} did ${text}`)
          this.#broken('an answer belongs to its call', `'${text}' was answered '${got}'`);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        // A lost message or slow work may time a call out, but nothing else may fail.
        if (isCalm && error.code !== 'deadline_exceeded')
          this.#broken(CALLS_SUCCEED, `'${text}' failed: ${error.message}`);
      }
      settled = true;
      if (decoder.decode(request) !== text)
        this.#broken('a buffer has one owner', `the receiver of '${text}' has changed it`);
    }
    if (calmAnswers === 0)
      this.#broken(CALLS_SUCCEED, `no call to ${server} was answered any more`);
  }

  #broken(property: string, what: string): void {
    this.#sim.always(property, () => {
      throw new Error(what);
    });
  }
}

const SERVERS = ['s1', 's2', 's3'];
const CLIENTS = ['c1', 'c2'];
const CALLS_SUCCEED = 'a call succeeds when there are no faults';
/**
 * Virtual milliseconds: when all faults end, how long the calm period lasts, the end of the calls,
 * the timeout of a call, and its tolerance.
 */
const PEACE = 20_000;
const CALM = 10_000;
const END = PEACE + CALM;
const TIMEOUT = 200;
const SLACK = 50;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

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
  const broken = (property: string, what: string) =>
    void sim.always(property, () => {
      throw new Error(what);
    });
  const done = new Map<string, string>();
  for (const name of SERVERS) sim.node(name, (context) => serveWork(sim, context, done, broken));
  const clients = CLIENTS.map((name) => sim.client(protocol, { name }));
  const work = clients.flatMap((transport, i) =>
    SERVERS.flatMap((server) =>
      [0, 1].map((lane) =>
        keepCalling(sim, transport, server, `${CLIENTS[i]}.${lane}`, broken).then(
          (answers) =>
            answers > 0 || broken(CALLS_SUCCEED, `no call to ${server} was answered any more`),
        ),
      ),
    ),
  );
  const { random } = clients[0]!;
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
  await sim.run(END - sim.now);
  await sim.settle(Promise.all(work), 10 * TIMEOUT);
  await sim.run(0);
}

/**
 * Serves `work`: the answer names the server and the work. The handler overwrites the request, as a
 * reader may.
 */
async function serveWork(
  sim: Simulation,
  { name, transport: open, clock }: NodeContext,
  done: Map<string, string>,
  broken: (property: string, what: string) => void,
) {
  const transport = open(protocol);
  await transport.listen();
  const life = `${name} at ${sim.now}`;
  serve(transport, {
    work: async (request) => {
      const text = decoder.decode(request);
      request.fill(0);
      if (done.has(text))
        broken(
          'a call is never executed twice',
          `${life} was given '${text}', which ${done.get(text)} had been given`,
        );
      done.set(text, life);
      if (transport.random() < 0.5) await clock.sleep(transport.random() * 2 * TIMEOUT);
      return encoder.encode(`${name} did ${text}`);
    },
  });
  return () => transport.close();
}

/** Makes one call after the other, and checks each. Returns the answers after the faults. */
async function keepCalling(
  sim: Simulation,
  transport: Transport<typeof protocol>,
  server: string,
  name: string,
  broken: (property: string, what: string) => void,
): Promise<number> {
  const { clock, random } = transport;
  let answers = 0;
  for (let count = 1; clock.now() < END; count++) {
    await clock.sleep(random() * 100);
    const text = `${name} to ${server} number ${count}`;
    const request = encoder.encode(text);
    const began = clock.now();
    const isCalm = began > PEACE + CALM / 2;
    let settled = false;
    sim.at(
      began + TIMEOUT + SLACK,
      () =>
        settled ||
        broken('a call ends by its deadline', `'${text}' is open ${SLACK} ms after its deadline`),
    );
    try {
      const answer = await transport.send(server, 'work', request, { timeout: TIMEOUT });
      const got = decoder.decode(answer);
      if (isCalm) answers++;
      answer.fill(0);
      if (got !== `${server} did ${text}`)
        broken('an answer belongs to its call', `'${text}' was answered '${got}'`);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      // A lost message or slow work may time a call out, but nothing else may fail.
      if (isCalm && error.code !== 'deadline_exceeded')
        broken(CALLS_SUCCEED, `'${text}' failed: ${error.message}`);
    }
    settled = true;
    if (decoder.decode(request) !== text)
      broken('a buffer has one owner', `the request '${text}' was changed by its receiver`);
  }
  return answers;
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

// Plain calls between clients and servers that crash and come back. The scenario checks a
// transport's promises to its users on each call.

import type { NodeContext, NodeStop, Simulation } from '@trunkline/simulation';
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
 * Creates a scenario in which servers crash and return, and links are cut, for a while; then
 * everything is calm. It rejects with the promise that was broken.
 */
export function callScenario(): (sim: Simulation) => Promise<void> {
  return async (sim) => {
    const servers = ['s1', 's2', 's3'];
    const done = new Map<string, string>();
    for (const name of servers) sim.node(name, (context) => serveWork(sim, context, done));
    const stop = { at: PEACE + CALM };
    const clients = ['c1', 'c2'].map((name) => sim.client(protocol, { name }));
    const work = clients.flatMap((transport, i) =>
      servers.flatMap((server) =>
        [0, 1].map((lane) => keepCalling(sim, transport, server, `c${i + 1}.${lane}`, stop.at)),
      ),
    );
    const random = clients[0]!.random;
    for (let at = 1_000; at < PEACE - 3_000; at += 300 + random() * 2_000) {
      const server = servers[Math.floor(random() * servers.length)]!;
      const client = random() < 0.5 ? 'c1' : 'c2';
      if (random() < 0.4) {
        sim.schedule([
          { at, do: 'crash', node: server, power: random() < 0.3 ? 'lost' : 'kept' },
          { at: at + random() * 2_000, do: 'restart', node: server },
        ]);
      } else if (random() < 0.5) sim.schedule([{ at, do: 'reset', from: client, to: server }]);
      else {
        sim.schedule([
          { at, do: 'cut', from: client, to: server },
          { at: at + random() * 2_000, do: 'heal' },
        ]);
      }
    }
    sim.schedule([{ at: PEACE, do: 'recover' }]);
    await sim.run(stop.at - sim.now);
    await sim.settle(Promise.all(work), 10 * TIMEOUT);
    await sim.run(0);
  };
}

/**
 * Serves `work`: the answer names the server and the work. The handler overwrites the request, as a
 * reader may.
 */
async function serveWork(
  sim: Simulation,
  { name, transport: open, clock }: NodeContext,
  done: Map<string, string>,
): Promise<NodeStop> {
  const transport = open(protocol);
  await transport.listen();
  const life = `${name} at ${sim.now}`;
  serve(transport, {
    work: async (request) => {
      const text = decoder.decode(request);
      request.fill(0);
      if (done.has(text))
        broken(
          sim,
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

/** Makes one call after the other, and checks each. */
async function keepCalling(
  sim: Simulation,
  transport: Transport<typeof protocol>,
  server: string,
  name: string,
  end: number,
): Promise<void> {
  const { clock, random } = transport;
  let answers = 0;
  for (let count = 1; clock.now() < end; count++) {
    await clock.sleep(random() * 100);
    const text = `${name} to ${server} number ${count}`;
    const request = encoder.encode(text);
    const began = clock.now();
    let settled = false;
    sim.at(
      began + TIMEOUT + SLACK,
      () =>
        settled ||
        broken(
          sim,
          'a call ends by its deadline',
          `'${text}' is still open ${SLACK} ms after its deadline`,
        ),
    );
    try {
      const answer = await transport.send(server, 'work', request as Uint8Array<ArrayBuffer>, {
        timeout: TIMEOUT,
      });
      const got = decoder.decode(answer);
      if (began > PEACE + CALM / 2) answers++;
      answer.fill(0);
      if (got !== `${server} did ${text}`)
        broken(sim, 'an answer belongs to its call', `'${text}' was answered '${got}'`);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      // A lost message or slow work may time a call out, but nothing else may fail.
      if (began > PEACE + CALM / 2 && error.code !== 'deadline_exceeded')
        broken(
          sim,
          'a call succeeds when there are no faults',
          `'${text}' failed: ${error.message}`,
        );
    }
    settled = true;
    if (decoder.decode(request) !== text)
      broken(sim, 'a buffer has one owner', `the request '${text}' was changed by its receiver`);
  }
  if (answers === 0)
    broken(
      sim,
      'a call succeeds when there are no faults',
      `no call of ${name} to ${server} was answered any more`,
    );
}

function broken(sim: Simulation, property: string, what: string): void {
  sim.always(property, () => {
    throw new Error(what);
  });
}

/**
 * Virtual milliseconds: when all faults end, how long the calm period lasts, the timeout of a call,
 * and its tolerance.
 */
const PEACE = 20_000;
const CALM = 10_000;
const TIMEOUT = 200;
const SLACK = 50;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

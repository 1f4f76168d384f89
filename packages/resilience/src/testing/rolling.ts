// A rolling restart under load: one server after another drains, closes and starts again at its
// address, while clients make calls of all kinds and check each answer.

import {
  type Backend,
  bytes,
  createTransport,
  defineProtocol,
  json,
  serve,
} from '@trunkline/transport-core';
import { z } from 'zod';
import { createBalancer } from '../balancing/balancer.ts';
import { roundRobin } from '../balancing/round-robin.ts';
import { drain } from '../index.health.ts';
import { createRetries } from '../retries/retries.ts';
import { createStaticResolver } from '../static-resolver.ts';

const number = json(z.number());
export const rolled = defineProtocol({
  name: 'rolled',
  methods: {
    echo: { id: 1, request: number, response: number },
    count: { id: 2, request: number, download: number },
    sum: { id: 3, request: bytes, upload: number, response: number },
    double: { id: 4, request: bytes, upload: number, download: number },
  },
});
export const KINDS = ['echo', 'count', 'sum', 'double'] as const;
const NOTHING = new Uint8Array();

/** Settings of a rolling restart. */
export interface RollingOptions {
  /** The addresses of the servers; a server at port 0 starts again at the port that it got. */
  readonly addresses: readonly string[];
  /** Returns the backends of one transport. */
  backends(): readonly Backend[] | Promise<readonly Backend[]>;
  /** The number of calls that are in flight at a time. */
  readonly load: number;
}

/** Restarts each server once. Returns the number of calls of each kind, and the failures. */
export async function runRolling({ addresses, backends, load }: RollingOptions) {
  const start = async (address: string) => {
    const server = createTransport(address, { protocol: rolled, backends: await backends() });
    serve(server, {
      echo: (n) => n,
      async *count(n) {
        for (let i = 0; i < n; i++) yield i;
      },
      async sum(_, { upload }) {
        let sum = 0;
        for await (const n of upload) sum += n;
        return sum;
      },
      async *double(_, { upload }) {
        for await (const n of upload) yield 2 * n;
      },
    });
    await server.listen();
    return server;
  };
  const servers = await Promise.all(addresses.map(start));
  const balancer = createBalancer({
    resolve: createStaticResolver({ rolled: servers.map((server) => server.localAddr()) }),
    policy: roundRobin(),
  });
  const retries = createRetries();
  const client = createTransport({
    protocol: rolled,
    backends: await backends(),
    interceptors: { client: [retries.interceptor, balancer.interceptor] },
  });
  const calls = { echo: 0, count: 0, sum: 0, double: 0 };
  const failures: string[] = [];
  let isOver = false;
  const worker = async (at: number) => {
    for (let n = at; !isOver; n++) {
      const kind = KINDS[n % KINDS.length]!;
      const size = n % 7;
      let read = 0;
      async function* upload() {
        for (; read < size; read++) yield read;
      }
      try {
        const given = { upload: upload() };
        const answer =
          kind === 'echo'
            ? await client.send('rolled', kind, size)
            : kind === 'sum'
              ? await client.send('rolled', kind, NOTHING, given)
              : kind === 'count'
                ? await sumOf(client.send('rolled', kind, size))
                : await sumOf(client.send('rolled', kind, NOTHING, given));
        const sum = (size * (size - 1)) / 2;
        const expected = kind === 'echo' ? size : kind === 'double' ? 2 * sum : sum;
        if (answer !== expected) failures.push(`${kind}: ${answer} instead of ${expected}`);
      } catch (error) {
        failures.push(`${kind}: ${error}`);
      }
      calls[kind]++;
    }
  };
  const workers = Array.from({ length: load }, (_, at) => worker(at));
  const called = async (more: number) => {
    const until = total(calls) + more;
    while (total(calls) < until) await new Promise(setImmediate);
  };
  await called(10 * load);
  for (const [at, server] of servers.entries()) {
    const address = server.localAddr();
    await drain(server);
    await server.close({ grace: 5_000 });
    servers[at] = await start(address);
    await called(10 * load);
  }
  isOver = true;
  await Promise.all(workers);
  await client.close();
  balancer.close();
  for (const server of servers) await server.close();
  return { calls, failures, repeated: retries.snapshot().retries };
}

async function sumOf(items: AsyncIterable<number>): Promise<number> {
  let sum = 0;
  for await (const n of items) sum += n;
  return sum;
}

function total(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}

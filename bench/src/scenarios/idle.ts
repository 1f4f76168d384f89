// S8: the server's memory for each of 2,000 idle connections that have each made one call.

import type { KindName } from '../connections/by-name.ts';
import { memoryOf, open, share, start } from '../connections/measure.ts';
import type { Figures } from '../stopwatch.ts';
import type { Scenario, Setting } from './scenario.ts';

/** The kinds of connections by the name of their columns. */
const KINDS: Readonly<Record<string, KindName>> = {
  'limit-net': 'bare-tcp',
  'limit-net-pooled': 'bare-tcp-pooled',
  'trunkline-tcp': 'trunkline-tcp',
  'limit-tls': 'bare-tls',
  'trunkline-tls': 'trunkline-tls',
  'trunkline-noise': 'trunkline-noise',
};

export const idle: Scenario = {
  name: 's8',
  title: '2,000 idle connections, memory of the server for each after GC',
  figures: [
    { figure: 'rss', unit: 'RSS KiB' },
    { figure: 'heap', unit: 'heap KiB' },
  ],
  suits: (adapter) => KINDS[adapter] !== undefined,
  measure,
};

async function measure(adapter: string, { smoke, node }: Setting): Promise<Figures> {
  const count = smoke ? 40 : 2_000;
  const processes: { kill(): void }[] = [];
  try {
    const { server, clients } = await start(
      KINDS[adapter]!,
      { clients: 1, nodeFlags: [], node },
      processes,
    );
    // Opens half as many connections first, so that memory allocated once is not counted per
    // connection, and because V8 goes on compiling for that long.
    await open(clients, count / 2);
    const before = await memoryOf(server);
    const begin = performance.now();
    await open(clients, count);
    const seconds = (performance.now() - begin) / 1_000;
    const { rss, heap } = share(before, await memoryOf(server), count);
    // Kills the clients: how so many connections close in order is not measured here and would take
    // long.
    for (const client of clients) client.kill();
    await server.close();
    return { rate: count / seconds, rss: rss / 1024, heap: heap / 1024 };
  } finally {
    for (const process of processes) process.kill();
  }
}

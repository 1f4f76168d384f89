// Open connections: the memory and CPU that 10,000 of them take at one server, beside bare sockets,
// and whether all of them survive minutes of keep-alive.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Bar, type Figure, type Figures, taskOf } from './benchmark.ts';
import { checkFiles } from './connections/files.ts';
import { KIND_NAMES } from './connections/kinds.ts';
import { withConnections } from './connections/measure.ts';
import type { Memory } from './connections/server.ts';
import { fraction, names, number } from './flags.ts';
import { runBenchmark } from './run.ts';
import { figureOf } from './summary.ts';

const FIGURES: readonly Figure[] = [
  { key: 'connects', unit: 'opened/s' },
  { key: 'rss', unit: 'RSS, KiB', compared: 'difference' },
  { key: 'heap', unit: 'heap, KiB', compared: 'difference' },
  { key: 'kept', unit: 'RSS at the end, KiB', compared: 'never' },
  { key: 'heard', unit: 'with traffic', compared: 'never' },
  { key: 'cpu', unit: 'server CPU, of a core', compared: 'never' },
  { key: 'lost', unit: 'lost', compared: 'never' },
];
/** The most that a connection may take beyond a bare one, in KiB. */
const MOST_MORE = 16;
const WARM_UP = 0.05;
/** The time in milliseconds between two polls. */
const TELLING = 1_000;
const KIB = 1_024;

await runBenchmark({
  name: 'connections',
  summary:
    'Memory is that of the server for each connection, after GC. Exit code 1 if a bar is missed.',
  rounds: 1,
  window: 0,
  flags: {
    count: number('number of connections that are open at the same time', 10_000, 60),
    minutes: fraction('minutes for which Trunkline keeps them open', 1, 1 / 60),
    clients: number('number of processes that open them', 4, 2),
    only: names('measures only these kinds', KIND_NAMES, ['limit-tls', 'trunkline-tls']),
  },
  plan({ count, minutes, clients, only, smoke }) {
    checkFiles(count);
    const rows = only.map((name) => {
      const limit = name === 'trunkline-tcp' ? 'limit-net' : 'limit-tls';
      const against = name.startsWith('limit') ? undefined : { group: '', name: limit };
      return { group: '', name, against };
    });
    const keep = { count, minutes, clients };
    return {
      rows,
      tasks: rows.map((row) => taskOf(row, '', (tell) => measure(row.name, keep, tell))),
      figuresOf: () => FIGURES,
      settings: `${count} connections kept for ${minutes.toPrecision(2)} minutes`,
      bars: [more(smoke), ...only.map((name) => none(name, count))],
    };
  },
});

async function measure(
  kind: string,
  { count, minutes, clients }: Readonly<Record<'count' | 'minutes' | 'clients', number>>,
  tell: (what: string) => void,
): Promise<Figures> {
  return withConnections(kind, { clients }, async ({ open, memory, counts, heard, cpu }) => {
    // Opens a few connections first, so that code compiled and memory allocated once is not counted
    // per connection.
    const first = Math.ceil(count * WARM_UP);
    await open(first);
    const before = await memory();
    const begin = performance.now();
    tell(`opening ${count}`);
    await open(count - first);
    const connects = ((count - first) / (performance.now() - begin)) * 1_000;
    const each = (after: Memory, of: keyof Memory) =>
      (after[of] - before[of]) / (count - first) / KIB;
    const opened = await memory();
    const figures = {
      connects,
      rss: each(opened, 'rss'),
      heap: each(opened, 'heap'),
    };
    // Bare sockets are not kept: nothing keeps them alive or would notice their loss.
    if (kind.startsWith('limit')) return figures;
    await heard();
    const start = { now: performance.now(), cpu: cpu() };
    const end = start.now + minutes * 60_000;
    for (;;) {
      const { up, lost } = await counts();
      const left = end - performance.now();
      tell(`${count} kept, ${lost} lost, ${(Math.max(left, 0) / 60_000).toFixed(1)} minutes left`);
      if (left > 0) {
        await sleep(Math.min(left, TELLING));
        continue;
      }
      const spent = cpu();
      return {
        ...figures,
        kept: each(await memory(), 'rss'),
        heard: await heard(),
        lost: Math.max(lost, count - up),
        ...(spent !== undefined &&
          start.cpu !== undefined && {
            cpu: (spent - start.cpu) / 1e6 / (performance.now() - start.now),
          }),
      };
    }
  });
}

/** Memory is judged only if there are enough connections to tell it from noise. */
function more(smoke: boolean): Bar {
  const rss = (name: string) => (round: Parameters<Bar['value']>[0]) =>
    figureOf(round, { group: '', name }, 'rss');
  return {
    bar: `trunkline-tls: at most ${MOST_MORE} KiB of RSS per connection more than limit-tls`,
    value(round) {
      const [ours, bare] = [rss('trunkline-tls')(round), rss('limit-tls')(round)];
      return smoke || ours === undefined || bare === undefined ? undefined : ours - bare;
    },
    most: MOST_MORE,
  };
}

function none(name: string, count: number): Bar {
  return {
    bar: `${name}: none of ${count} connections are lost`,
    value: (round) => figureOf(round, { group: '', name }, 'lost'),
    combine: (values) => Math.max(...values),
    most: 0,
  };
}

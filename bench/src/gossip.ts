// Gossip between processes: one publishes at a given rate and all others receive, over each
// overlay, a naive flood and a NATS server.

import { alone, type Figure, type Task } from './benchmark.ts';
import { names, numbers } from './flags.ts';
import { KINDS, type KindName } from './gossip-processes/by-name.ts';
import { isInstalled, measureSwarm } from './gossip-processes/measure.ts';
import { runBenchmark } from './run.ts';
import { figureOf } from './summary.ts';

const FIGURES: readonly Figure[] = [
  alone('rate', 'published/s'),
  alone('lost', 'lost'),
  alone('wrong', 'delivered twice'),
  alone('p50', 'p50, ms'),
  alone('p99', 'p99, ms'),
  { key: 'cpu', unit: 'CPU per delivery, µs' },
  alone('serverCpu', 'of the server, µs'),
  alone('publisherCpu', 'CPU of the publisher per message, µs'),
  alone('copies', 'copies per delivery'),
  alone('bytes', 'bytes per delivery'),
];

/** The size of a message in bytes. */
const SIZE = 256;

await runBenchmark({
  name: 'gossip',
  summary: 'Exit code 1 if gossip loses a message at the first rate.',
  rounds: 3,
  window: 10_000,
  flags: {
    nodes: numbers('number of processes, one of which publishes', [50], [4]),
    rate: numbers('messages a second; the bars judge the first', [1_000], [200]),
    adapter: names(
      'measures only these (nats if nats-server is installed)',
      Object.keys(KINDS) as KindName[],
    ),
  },
  plan({ nodes, rate: rates, adapter, window }) {
    if (nodes.includes(1)) throw new TypeError("--nodes: must be at least 2, got '1'");
    const kinds = adapter.filter(isInstalled);
    const seconds = window / 1_000;
    // In the warm-up, which lets Node compile hot code, only losses count.
    const load = { rates, size: SIZE, seconds, warm: seconds };
    const groupOf = (count: number, rate: number) => `${count} processes, ${rate} messages/s`;
    const tasks = nodes.flatMap((count) =>
      kinds.map(
        (name): Task => ({
          turn: String(count),
          title: `${name}, ${count} processes`,
          rows: rates.map((rate) => ({
            group: groupOf(count, rate),
            name,
            against: name === 'flood' ? undefined : 'flood',
          })),
          run: (tell) => measureSwarm(name, count, load, tell),
        }),
      ),
    );
    return {
      tasks,
      figuresOf: () => FIGURES,
      settings: `${SIZE} bytes per message`,
      bars: tasks
        .map(({ rows: [row] }) => row!)
        .filter(({ name }) => /tree|mesh/.test(name))
        .map((row) => ({
          bar: `${row.group}, ${row.name}: no message lost or duplicated`,
          value: (round) => figureOf(round, row, 'lost') + figureOf(round, row, 'wrong'),
          combine: (values) => values.reduce((sum, value) => sum + value, 0),
          most: 0,
        })),
    };
  },
});

// Gossip between processes: one publishes at a given rate and all others receive, over each overlay,
// a naive flood and a NATS server.

import { alone, type Bar, type Figure, type Row, type Task } from './benchmark.ts';
import { fraction, names, number, numbers } from './flags.ts';
import { KIND_NAMES } from './gossip-processes/by-name.ts';
import { isInstalled, measureSwarm } from './gossip-processes/measure.ts';
import { LEAST_SIZE } from './gossip-processes/stage.ts';
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

await runBenchmark({
  name: 'gossip',
  summary: 'Exit code 1 if gossip loses a message at the first rate.',
  rounds: 3,
  window: 0,
  flags: {
    nodes: numbers('number of processes, one of which publishes', [50], [4]),
    rate: numbers('messages a second; the bars judge the first', [1_000], [200]),
    size: number('bytes of a message', 256),
    seconds: fraction('seconds of a measurement', 10, 0.5),
    warm: fraction(
      'seconds before it, in which only losses count; Node needs them to compile hot code',
      10,
      0.2,
    ),
    adapter: names('measures only these (nats if nats-server is installed)', KIND_NAMES),
  },
  plan({ nodes, rate: rates, size, seconds, warm, adapter }) {
    if (size < LEAST_SIZE)
      throw new TypeError(`--size: must be at least ${LEAST_SIZE} bytes, got ${size}`);
    if (nodes.includes(1)) throw new TypeError("--nodes: must be at least 2, got '1'");
    const kinds = adapter.filter(isInstalled);
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
          run: (tell) => measureSwarm(name, count, { rates, size, seconds, warm }, tell),
        }),
      ),
    );
    return {
      tasks,
      figuresOf: () => FIGURES,
      settings: `${size} bytes per message, ${seconds} s each`,
      bars: tasks
        .map(({ rows: [row] }) => row!)
        .filter(({ name }) => /tree|mesh/.test(name))
        .map(complete),
    };
  },
});

/** No message is lost, and none arrives twice. */
function complete(row: Row): Bar {
  return {
    bar: `${row.group}, ${row.name}: no message lost or duplicated`,
    value: (round) => figureOf(round, row, 'lost') + figureOf(round, row, 'wrong'),
    combine: (values) => values.reduce((sum, value) => sum + value, 0),
    most: 0,
  };
}

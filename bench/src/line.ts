// A long line: streams and large messages over 100 ms and 100 Mbit/s beside a raw socket on the
// same line, with small calls beside the streams.

import { ratioBar } from './bars.ts';
import type { Row } from './benchmark.ts';
import { Child } from './child-process.ts';
import { names, number } from './flags.ts';
import type { EndCommands } from './long-line/end.ts';
import { controls, Line, unable } from './long-line/line.ts';
import { BACKENDS, TASKS, type Task } from './long-line/protocol.ts';
import { runBenchmark } from './run.ts';
import { figureOf } from './summary.ts';

const LINE = { delay: 50, rate: 100_000_000, queue: 1_250_000 };
const TRIP = 2 * LINE.delay;
const NAMES: Readonly<Record<Task, string>> = {
  upload: 'upload of 256 KiB items',
  download: 'download of 256 KiB items',
  put: '4 MiB requests in turn',
  get: '4 MiB responses in turn',
};
const LEAST: Readonly<Record<Task, number>> = { upload: 0.9, download: 0.9, put: 0.7, get: 0.7 };
/** The most round trips that a small call may take. */
const MOST = 1.2;

await runBenchmark({
  name: 'line',
  summary: 'Needs Linux, root, gcc and iproute2. Exit code 1 if a bar is missed.',
  rounds: 3,
  flags: {
    mib: number('MiB that each measurement transfers', 64, 4),
    task: names('measures only these (put: requests in turn; get: responses in turn)', TASKS),
    backend: names('measures only these', BACKENDS),
  },
  unable,
  async plan({ mib, task: tasks, backend: backends }) {
    const total = mib * 2 ** 20;
    const mbits = (time: number) => (total * 8) / time / 1_000;
    const { line, client, to, close } = await raise();
    const measured = backends.flatMap((backend) =>
      controls().flatMap((control) => tasks.map((task) => ({ backend, control, task }))),
    );
    return {
      tasks: measured.map(({ backend, control, task }) => {
        const group = `${backend}, ${control}`;
        const rows = rowsOf(group, task);
        return {
          turn: `${group}, ${task}`,
          title: `${group}, ${task}`,
          rows,
          async run() {
            line.control(control);
            const raw = await client.call('measure', { backend: 'raw', task, total, to });
            const { time, small } = await client.call('measure', { backend, task, total, to });
            return [
              { mbits: mbits(raw.time) },
              { mbits: mbits(time) },
              { trips: (small ?? Number.NaN) / TRIP },
            ];
          },
        };
      }),
      figuresOf: () => [
        { key: 'mbits', unit: 'Mbit/s' },
        { key: 'trips', unit: 'round trips' },
      ],
      settings: `${mib} MiB each`,
      bars: measured.flatMap(({ backend, control, task }) => {
        const [, ours, small] = rowsOf(`${backend}, ${control}`, task);
        return [
          ratioBar('mbits', ours, { least: LEAST[task] }, 'Mbit/s'),
          {
            bar: `${small.group} round trips: ${small.name} at most ${MOST}`,
            value: (round) => figureOf(round, small, 'trips'),
            most: MOST,
          },
        ];
      }),
      close,
    };
  },
});

/** The rows of a task: over a raw socket, over Trunkline, and small calls beside it. */
function rowsOf(group: string, task: Task): [Row, Row, Row] {
  const raw = `${NAMES[task]}, raw`;
  return [
    { group, name: raw },
    { group, name: NAMES[task], against: raw },
    { group, name: `small call beside the ${task}` },
  ];
}

/** Raises the line, and starts a server at its far end and a client at its near one. */
async function raise() {
  const line = new Line();
  const children: Child<EndCommands>[] = [];
  const close = async () => {
    for (const child of children) child.kill();
    line.lower();
    process.off('SIGINT', close).off('SIGTERM', close);
  };
  const start = async (name: string, network: string) => {
    const child = await Child.start<EndCommands>({ name, script: 'long-line/end.js', network });
    children.push(child);
    return child;
  };
  process.once('SIGINT', close).once('SIGTERM', close);
  try {
    await line.raise(LINE);
    const to = await (await start('the server', line.far)).call('serve', line.host);
    return { line, client: await start('the client', line.near), to, close };
  } catch (error) {
    await close();
    throw error;
  }
}

// The benchmark of a long line: streams and large messages over 100 ms and 100 Mbit/s beside a raw
// socket on the same line, with small calls beside the streams. Exit code 1 if a bar is missed. If
// no line can be made, it says so and measures nothing.

import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { listed, positive } from './arguments.ts';
import { Child } from './child-process.ts';
import type { Command, Result } from './long-line/client.ts';
import { controls, Line, unable } from './long-line/line.ts';
import { BACKENDS, TASKS } from './long-line/protocol.ts';
import { formatTable, judge, type Sample, summarize } from './long-line/report.ts';
import type { Addresses } from './long-line/server.ts';
import { publish } from './performance/publish.ts';
import { thisMachine } from './performance/record.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';

const USAGE = `usage: node bench/dist/long-line.js [options]

  --rounds <n>       number of rounds of each measurement (default: 3)
  --mib <n>          MiB that each measurement transfers (default: 64)
  --task <names>     upload, download, put (requests in turn), get (responses in turn)
  --backend <names>  tcp, ws
  --control <names>  congestion control: bbr, cubic
  --report           also updates its part of docs/performance.md
  --json             prints the figures as JSON instead of a table
  --smoke            runs one round of 4 MiB without bars
  --help             prints this text

This benchmark needs Linux, root, gcc and iproute2.`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const OPTIONS = {
  rounds: text,
  mib: text,
  task: text,
  backend: text,
  control: text,
  report: flag,
  json: flag,
  smoke: flag,
  help: flag,
} as const;

interface Plan {
  readonly rounds: number;
  readonly total: number;
  readonly tasks: readonly (typeof TASKS)[number][];
  readonly backends: readonly (typeof BACKENDS)[number][];
  readonly controls: readonly string[];
}

const LINE = { delay: 50, rate: 100_000_000, queue: 1_250_000 };

try {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help === true) console.log(USAGE);
  else {
    const smoke = values.smoke === true;
    const plan = (possible: readonly string[]): Plan => ({
      rounds: positive('rounds', values.rounds, smoke ? 1 : 3),
      total: positive('mib', values.mib, smoke ? 4 : 64) * 1024 * 1024,
      tasks: chosen('task', values.task, TASKS),
      backends: chosen('backend', values.backend, BACKENDS),
      controls: chosen('control', values.control, possible),
    });
    plan(['bbr', 'cubic']); // Reports a wrong option even if nothing can be measured.
    const reason = unable();
    if (reason !== undefined)
      console.log(`skipped: this machine cannot emulate a long line: ${reason}`);
    else
      await bench(plan(controls()), {
        json: values.json === true,
        report: values.report === true && !smoke,
        smoke,
      });
  }
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function bench(
  plan: Plan,
  { json, report, smoke }: { json: boolean; report: boolean; smoke: boolean },
): Promise<void> {
  const before = loadavg()[0]!;
  const samples = await measure(plan).finally(endProgress);
  const load = (before + loadavg()[0]!) / 2;
  const figures = summarize(samples, plan.total, 2 * LINE.delay);
  const line = {
    machine: thisMachine(),
    load,
    rounds: plan.rounds,
    mib: plan.total / 2 ** 20,
    figures,
  };
  if (report) publish({ line });
  const verdicts = smoke ? [] : judge(figures);
  if (json) console.log(JSON.stringify({ ...line, verdicts }, null, 2));
  else {
    console.log(
      `Node ${process.versions.node}, ${2 * LINE.delay} ms and ${LINE.rate / 1e6} Mbit/s, medians of ${plan.rounds}, load ${load.toFixed(1)}\n`,
    );
    console.log(
      `${formatTable(figures)}\n\n${smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts)}`,
    );
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}

async function measure({ rounds, total, tasks, backends, controls }: Plan): Promise<Sample[]> {
  const line = new Line();
  const stopped = () => line.lower();
  process.once('SIGINT', stopped).once('SIGTERM', stopped);
  const children: { kill(): void; close(): Promise<void> }[] = [];
  try {
    await line.raise(LINE);
    const server = await Child.start<object, Addresses>({
      name: 'the server',
      script: 'long-line/server.js',
      args: [line.host],
      network: line.far,
    });
    children.push(server.child);
    const client = await Child.start<Command, Result>({
      name: 'the client',
      script: 'long-line/client.js',
      network: line.near,
    });
    children.push(client.child);
    const samples: Sample[] = [];
    const steps = rounds * controls.length * tasks.length * backends.length;
    for (let round = 0; round < rounds; round++) {
      for (const control of controls) {
        line.control(control);
        for (const task of tasks) {
          for (const backend of backends) {
            showProgress(
              `round ${round + 1}, ${control}, ${backend}, ${task}`,
              samples.length / steps,
            );
            const raw = await client.child.run({ backend: 'raw', task, total, to: server.report });
            const ours = await client.child.run({ backend, task, total, to: server.report });
            samples.push({
              control,
              backend,
              task,
              raw: raw.time,
              ours: ours.time,
              small: ours.small,
            });
          }
        }
      }
    }
    for (const child of children.splice(0)) await child.close();
    return samples;
  } finally {
    for (const child of children) child.kill();
    line.lower();
    process.off('SIGINT', stopped).off('SIGTERM', stopped);
  }
}

/**
 * Returns the names of a list, or all names if none is given.
 * @throws TypeError naming the option.
 */
function chosen<T extends string>(
  option: string,
  given: string | undefined,
  all: readonly T[],
): T[] {
  const names = given === undefined ? [...all] : listed(given);
  for (const name of names)
    if (!all.includes(name as T))
      throw new TypeError(`--${option}: '${name}' is none of ${all.join(', ')}`);
  return names as T[];
}

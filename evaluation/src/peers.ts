// Peers by the hundred and thousand, in simulation: each scenario at full size, with many seeds over
// worker threads.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { listed, positive } from '@trunkline/bench/arguments';
import { median } from '@trunkline/bench/statistics';
import { alignTable, round3 } from '@trunkline/bench/table';
import type { Job, Result } from './peers/job.ts';

const USAGE = `usage: node evaluation/dist/peers.js [options]

  --scenario <names>  runs only these, comma-separated: mesh, heal, churn, attack
  --seeds <n>         number of seeds for each (default: mesh 100, heal 100, churn 1, attack 10)
  --from <n>          the first seed (default: 1)
  --nodes <n>         number of nodes (default: mesh and heal 200, churn 1000)
  --cycles <n>        cycles of churn (default: 100)
  --workers <n>       number of threads (default: the number of cores)
  --help              prints this text`;

const SEEDS: Readonly<Record<string, number>> = { mesh: 100, heal: 100, churn: 1, attack: 10 };

try {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string' },
      seeds: { type: 'string' },
      from: { type: 'string' },
      nodes: { type: 'string' },
      cycles: { type: 'string' },
      workers: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) console.log(USAGE);
  else {
    const names = values.scenario === undefined ? Object.keys(SEEDS) : listed(values.scenario);
    const unknown = names.find((name) => SEEDS[name] === undefined);
    if (unknown !== undefined) throw new TypeError(`--scenario: there is no '${unknown}'`);
    const from = positive('from', values.from, 1);
    const nodes = values.nodes === undefined ? undefined : positive('nodes', values.nodes, 200);
    const cycles = values.cycles === undefined ? undefined : positive('cycles', values.cycles, 100);
    const workers = positive('workers', values.workers, availableParallelism());
    const jobs = names.flatMap((scenario) =>
      Array.from(
        { length: positive('seeds', values.seeds, SEEDS[scenario]!) },
        (_, i): Job => ({ scenario, seed: from + i, nodes, cycles }),
      ),
    );
    const results = await runAll(jobs, workers);
    for (const name of names)
      report(
        name,
        results.filter(({ job }) => job.scenario === name),
      );
    if (results.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}

/**
 * Runs the jobs, one at a time on each worker and each in a thread of its own, so that a
 * simulation's memory is freed with it.
 */
async function runAll(jobs: readonly Job[], workers: number): Promise<Result[]> {
  const results: Result[] = [];
  const queue = jobs.values();
  const take = async () => {
    for (const job of queue) {
      const result = await run(job);
      results.push(result);
      const { faults, figures, seconds, megabytes } = result;
      const told = Object.entries(figures).map(([key, value]) => `${key} ${round3(value)}`);
      console.error(
        `${results.length} of ${jobs.length}: ${job.scenario}, seed ${job.seed}: ${faults.length === 0 ? 'passed' : faults.join('; ')} (${[...told, `${seconds.toFixed(0)} s`, `${megabytes.toFixed(0)} MB`].join(', ')})`,
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, take));
  return results;
}

function run(job: Job): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./peers/worker.js', import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: 6_000 },
    });
    worker.on('message', (message: Result | string) => {
      if (typeof message === 'string')
        console.error(`${job.scenario}, seed ${job.seed}: ${message}`);
      else resolve(message);
    });
    worker.on('error', reject);
    worker.on('exit', (code) =>
      reject(new Error(`the worker of ${job.scenario}, seed ${job.seed}, ended with code ${code}`)),
    );
  });
}

/** Prints a line for each figure, over all seeds. */
function report(name: string, results: readonly Result[]): void {
  const well = results.filter(({ faults }) => faults.length === 0).length;
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  console.log(
    `\n${name}: ${well} of ${results.length} seeds passed, ${seconds.toFixed(0)} s in total`,
  );
  for (const { job, faults } of results)
    if (faults.length > 0) console.log(`  seed ${job.seed}: ${faults.join('; ')}`);
  const figures = (key: string) =>
    results.map((result) => result.figures[key] ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const lines = Object.keys(results[0]?.figures ?? {}).map((key) => {
    const all = figures(key);
    return [
      key,
      ...[all[0]!, median(all), all[Math.ceil(0.9 * all.length) - 1]!, all.at(-1)!].map((value) =>
        Number.isFinite(value) ? round3(value) : '–',
      ),
    ];
  });
  console.log(alignTable([['', 'least', 'median', '90 %', 'most'], ...lines], 1));
}

// Runs jobs in worker threads, a few at a time, and keeps their results.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { endProgress, showProgress } from '@trunkline/bench/progress';
import { type Job, keyOf, nameOf, type Result } from './job.ts';

export interface PoolOptions {
  readonly workers: number;
  /** A file that keeps results, one a line; jobs whose results it holds are not run again. */
  readonly file?: string | undefined;
}

/**
 * Runs each job in its own thread, so that a simulation's memory is freed with it. Returns the
 * results in the order of the jobs.
 */
export async function runAll(
  jobs: readonly Job[],
  { workers, file }: PoolOptions,
): Promise<Result[]> {
  const results = new Map(read(file).map((result) => [keyOf(result.job), result]));
  const left = [...new Map(jobs.map((job) => [keyOf(job), job])).values()].filter(
    (job) => !results.has(keyOf(job)),
  );
  let done = 0;
  const queue = left.values();
  const take = async () => {
    for (const job of queue) {
      const show = (text: string) =>
        showProgress(`${done} of ${left.length}, ${nameOf(job)}: ${text}`, done / left.length);
      if (process.stderr.isTTY) show('begins');
      const result = await run(job, process.stderr.isTTY ? show : () => {});
      results.set(keyOf(job), result);
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(result)}\n`);
      done++;
      show(`${result.seconds.toFixed(0)} s`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, left.length) }, take));
  endProgress();
  return jobs.map((job) => results.get(keyOf(job))!);
}

function run(job: Job, log: (text: string) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: 6_000 },
    });
    worker.on('message', (message: Result | string) => {
      if (typeof message === 'string') log(message);
      else resolve(message);
    });
    worker.on('error', (cause) => reject(new Error(`${nameOf(job)} failed`, { cause })));
    worker.on('exit', (code) => reject(new Error(`${nameOf(job)} ended with code ${code}`)));
  });
}

function read(file: string | undefined): Result[] {
  if (file === undefined || !existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result);
}

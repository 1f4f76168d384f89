// Runs one seed of a scenario in a thread. The scenarios are tests of another package, so they are
// imported by path.

import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import type { Job, Result } from './job.ts';

interface Scenarios {
  readonly scenarios: Readonly<
    Record<
      string,
      (options: Record<string, unknown>) => Promise<Pick<Result, 'faults' | 'figures'>>
    >
  >;
}

/** Milliseconds between two progress lines of a job. */
const PROGRESS = 20_000;

const job = workerData as Job;
const { scenarios } = (await import(
  new URL('../../../packages/peers/dist/testing/scale/scenarios.js', import.meta.url).href
)) as Scenarios;
const begin = performance.now();
let told = begin;
const log = (text: string) => {
  if (performance.now() - told < PROGRESS) return;
  told = performance.now();
  parentPort!.postMessage(text);
};
const { seed, nodes, cycles } = job;
const { faults, figures } = await scenarios[job.scenario]!({ seed, nodes, cycles, log });
const result: Result = {
  job,
  faults,
  figures,
  seconds: (performance.now() - begin) / 1_000,
  megabytes: getHeapStatistics().used_heap_size / 1e6,
};
parentPort!.postMessage(result);

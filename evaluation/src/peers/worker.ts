// Runs one seed of a scenario in a thread.

import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import type { Job, Result } from './job.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';

/** Milliseconds between two progress lines of a job. */
const PROGRESS = 20_000;

const job = workerData as Job;
const begin = performance.now();
let told = begin;
const log = (text: string) => {
  if (performance.now() - told < PROGRESS) return;
  told = performance.now();
  parentPort!.postMessage(text);
};
const { seed, nodes, cycles } = job;
const scenario = scenarios[job.scenario as ScenarioName];
const { faults, figures } = await scenario({ seed, nodes, cycles, log });
const result: Result = {
  job,
  faults,
  figures,
  seconds: (performance.now() - begin) / 1_000,
  megabytes: getHeapStatistics().used_heap_size / 1e6,
};
parentPort!.postMessage(result);

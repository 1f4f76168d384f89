// Runs one job in a thread.

import { parentPort, workerData } from 'node:worker_threads';
import type { Job, Result } from './job.ts';
import { scenarios } from './scenarios/scenarios.ts';

const { scenario, ...options } = workerData as Job;
const begin = performance.now();
const figures = await scenarios[scenario]!({
  ...options,
  log: (text) => parentPort!.postMessage(text),
});
parentPort!.postMessage({
  job: workerData as Job,
  figures,
  seconds: (performance.now() - begin) / 1_000,
} satisfies Result);

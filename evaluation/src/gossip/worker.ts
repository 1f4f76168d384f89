// Runs one job in a thread. The scenarios are tests of another package, so they are imported by
// path.

import { parentPort, workerData } from 'node:worker_threads';
import type { Job, Result } from './job.ts';

interface Scenarios {
  readonly scenarios: Readonly<
    Record<
      string,
      (
        options: Omit<Job, 'scenario'> & { readonly log: (text: string) => void },
      ) => Result['figures'] | Promise<Result['figures']>
    >
  >;
}

const { scenario, ...options } = workerData as Job;
const { scenarios } = (await import(
  new URL('../../../packages/gossip/dist/testing/evaluation/scenarios.js', import.meta.url).href
)) as Scenarios;
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

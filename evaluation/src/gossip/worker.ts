// Runs one job in a thread.

import { parentPort, workerData } from 'node:worker_threads';
import type { Figures, Job, Result, ScenarioOptions } from './job.ts';
import { coldBoot, covertFlash, dawn, eclipse, sybilAttack } from './scenarios/attacks.ts';
import { churn } from './scenarios/churn.ts';
import { seen, unseen } from './scenarios/failures.ts';
import { swarm } from './scenarios/swarm.ts';
import { mending, sizes, stable } from './scenarios/trees.ts';

const scenarios: Readonly<
  Record<string, (options: ScenarioOptions) => Figures | Promise<Figures>>
> = {
  ...{ seen, unseen, stable, mending, churn, sizes, swarm, eclipse, dawn },
  ...{ sybils: sybilAttack, 'cold-boot': coldBoot, 'covert-flash': covertFlash },
};

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

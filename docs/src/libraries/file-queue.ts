import { promisify } from 'node:util';
import { explore, type NodeContext, nemeses, type Simulation } from '@trunkline/simulation';
import { createLoader } from '@trunkline/simulation/loader';
import { defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const load = createLoader(import.meta.url);
const method = { request: json(z.any()), response: json(z.any()) };
const jobs = defineProtocol({ name: 'jobs', methods: { push: method, take: method } });

/** A node that keeps jobs in a file-queue on its disk. */
async function broker(context: NodeContext) {
  const { Queue } = await load(context, 'file-queue');
  const queue = await new Promise<any>((resolve) => {
    const made = new Queue({ path: '/', persistent: false }, () => resolve(made));
  });
  const call = (name: string, ...args: unknown[]): Promise<any> =>
    promisify(queue[name]).call(queue, ...args);
  const net = context.transport(jobs);
  serve(net, {
    push: (job) => call('push', job).then(() => null),
    take: async () => ((await call('length')) === 0 ? null : call('pop')),
  });
  await net.listen();
}

/** Pushes jobs while the broker crashes; each that was acknowledged must be there in the end. */
async function scenario(sim: Simulation) {
  sim.node('broker', broker);
  const net = sim.client(jobs, { timeout: 500 });
  const kept = new Set<string>();
  for (let i = 1; i <= 30; i++) {
    const pushed = net.send('broker', 'push', `job ${i}`).then(() => kept.add(`job ${i}`));
    await sim.settle(pushed).catch(() => {}); // Not acknowledged: the broker was down.
    await sim.run(100);
  }
  for (let job: any = ''; job !== null; kept.delete(job))
    job = await sim.settle(net.send('broker', 'take', null));
  for (const job of kept) throw new Error(`${job} was acknowledged, and is lost`);
}

const disk = { latency: 1, reordered: 0.5, journal: true };
const nemesis = nemeses.crashes({ duration: 3_000 });
const { failed } = await explore({ name: 'queue', seeds: 50, disk, nemesis, scenario });
for (const { error } of failed) console.log(error.message.split('\n')[0]);

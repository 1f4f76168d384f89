import { promisify } from 'node:util';
import { explore, type NodeContext, nemeses, type Simulation } from '@trunkline/simulation';
import { createLoader, fileSystem } from '@trunkline/simulation/loader';
import { defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const load = createLoader(import.meta.url);
const push = { id: 1, request: json(z.any()), response: json(z.any()) };
const methods = { push, take: { ...push, id: 2 } };
const jobs = defineProtocol({ name: 'jobs', version: 1, channel: 0x20, methods });

/** A file system that completes a rename once it would survive a loss of power. */
function synced(fs: ReturnType<typeof fileSystem>) {
  const sync = (path: string, done: (error: any) => void) =>
    fs.open(path, 'r', (_, fd) => fs.fsync(fd, (error) => fs.close(fd, () => done(error))));
  const rename = (from: string, to: string, done: (error: any) => void) =>
    fs.rename(from, to, (error) => (error ? done(error) : sync(to, done)));
  return { ...fs, rename };
}

/** A node that keeps jobs in a file-queue on its disk. */
const broker = (isSynced: boolean) => async (context: NodeContext) => {
  const { Queue } = await load(context, 'file-queue');
  const fs = isSynced ? synced(fileSystem(context)) : fileSystem(context);
  const queue = await new Promise<any>((resolve) => {
    const made = new Queue({ path: '/', persistent: false, fs }, () => resolve(made));
  });
  const call = (method: string, ...args: unknown[]): Promise<any> =>
    promisify(queue[method]).call(queue, ...args);
  const net = context.transport(jobs);
  serve(net, {
    push: (job) => call('push', job).then(() => null),
    take: async () => ((await call('length')) === 0 ? null : call('pop')),
  });
  await net.listen();
};

/** Pushes jobs while the broker crashes; each that was acknowledged must be there in the end. */
const scenario = (isSynced: boolean) => async (sim: Simulation) => {
  sim.node('broker', broker(isSynced));
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
};

for (const name of ['unchanged', 'synced']) {
  const disk = { latency: 1, reordered: 0.5, journal: true };
  const nemesis = nemeses.crashes({ duration: 3_000 });
  const search = { seeds: 50, disk, name, nemesis, replay: 'node queue.js' };
  const { passed, failed } = await explore({ ...search, scenario: scenario(name === 'synced') });
  console.log(`${name}: ${passed} seeds passed, ${failed.length} failed`);
  for (const { error, replay } of failed) console.log(`${error.message.split('\n')[0]}\n${replay}`);
}

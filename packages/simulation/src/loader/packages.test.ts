// Tests that unchanged packages, which were not written for simulations, work in a node.

import test from 'ava';
import type { NodeContext } from '../nodes/node-context.ts';
import { createSimulation } from '../simulation.ts';
import { createLoader } from './loader.ts';

const load = createLoader(import.meta.url);

/** Runs `use` in a node, for an hour of virtual time at most. */
async function inNode<T>(use: (context: NodeContext) => Promise<T>): Promise<T> {
  await using sim = createSimulation({ seed: 1 });
  let result: Promise<T> | undefined;
  sim.node('n1', (context) => void (result = use(context)));
  await sim.run(0);
  return await sim.settle(result!, 3_600_000);
}

test.serial('graceful-fs: files, and streams that it opens itself', async (t) => {
  const seen = await inNode(async (context) => {
    const fs = (await load(context, 'graceful-fs')).default;
    const { finished } = await load(context, 'node:stream/promises');
    const writer = fs.createWriteStream('/log');
    for (let i = 0; i < 3; i++) writer.write(`line ${i}\n`);
    await finished(writer.end());
    await new Promise((resolve, reject) =>
      fs.rename('/log', '/old', (error: Error | null) => (error ? reject(error) : resolve(0))),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of fs.createReadStream('/old')) chunks.push(chunk);
    return [Buffer.concat(chunks).toString(), fs.existsSync('/log')];
  });
  t.deepEqual(seen, ['line 0\nline 1\nline 2\n', false]);
});

test.serial('lru-cache: entries expire in virtual time', async (t) => {
  const seen = await inNode(async (context) => {
    const { LRUCache } = await load(context, 'lru-cache');
    const cache = new LRUCache({ max: 10, ttl: 1_000 });
    cache.set('a', 1);
    await context.clock.sleep(900);
    const before = cache.get('a');
    await context.clock.sleep(200);
    return [before, cache.get('a')];
  });
  t.deepEqual(seen, [1, undefined]);
});

test.serial('p-queue: tasks in order, and no more in an interval than it allows', async (t) => {
  const seen = await inNode(async (context) => {
    const PQueue = (await load(context, 'p-queue')).default;
    const queue = new PQueue({ concurrency: 1, interval: 100, intervalCap: 1 });
    const begun: number[] = [];
    const start = context.clock.now();
    for (let i = 0; i < 3; i++)
      void queue.add(async () => void begun.push(Math.floor((context.clock.now() - start) / 100)));
    await queue.onIdle();
    return begun;
  });
  t.deepEqual(seen, [0, 1, 2]);
});

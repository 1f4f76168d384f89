// Tests of a node's store: losses in crashes, the durability after a sync, and slow or failing
// disks.

import { createSimulation, type NodeContext, type Simulation } from './index.ts';
import test from './testing/serial.ts';

type Store = NodeContext['store'];

/** Creates a simulation with one node; `store` returns the store of its current incarnation. */
async function setUp(disk = {}, seed = 1): Promise<{ sim: Simulation; store(): Store }> {
  const sim = createSimulation({ seed });
  let store: Store;
  sim.node('a', (context) => void (store = context.store), { disk });
  await sim.run(1);
  return { sim, store: () => store };
}

const bytes = (...values: number[]) => new Uint8Array(values);

test('a value can be read at once; a crash discards unsynced values, and a restart finds the others', async (t) => {
  const { sim, store } = await setUp();
  await sim.settle(store().set('safe', bytes(1)));
  await sim.settle(store().set('changed', bytes(1)));
  await sim.settle(store().set('deleted', bytes(1)));
  await sim.settle(store().set('gone', bytes(1)));
  await sim.settle(store().delete('gone'));
  await sim.settle(store().sync());
  await sim.settle(store().set('changed', bytes(2)));
  await sim.settle(store().delete('deleted'));
  await sim.settle(store().set('new', bytes(3)));
  t.deepEqual(await sim.settle(store().get('changed')), bytes(2));
  t.deepEqual([...(await sim.settle(store().keys()))].sort(), ['changed', 'new', 'safe']);
  sim.crash('a');
  sim.restart('a');
  await sim.run(1);
  t.deepEqual([...(await sim.settle(store().keys()))].sort(), ['changed', 'deleted', 'safe']);
  t.deepEqual(await sim.settle(store().get('changed')), bytes(1));
  t.is(await sim.settle(store().get('new')), undefined);
  t.is(await sim.settle(store().get('gone')), undefined);
  await sim.close();
});

test('a sync persists the changes made before it was called, but no changes made later', async (t) => {
  const { sim, store } = await setUp({ sync: 10 });
  void store().set('before', bytes(1));
  const sync = store().sync();
  void store().set('after', bytes(2));
  await sim.settle(sync);
  sim.restart('a');
  await sim.run(1);
  t.deepEqual(await sim.settle(store().keys()), ['before']);
  await sim.close();
});

test('overlapping syncs each persist the changes before them, in whatever order they end', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { sim, store } = await setUp({ sync: [1, 50] }, seed);
    const ended: number[] = [];
    for (let i = 0; i < 6; i++) {
      void store().set(`${i}`, bytes(i));
      void store()
        .sync()
        .then(() => ended.push(i));
    }
    await sim.until(() => ended.length >= 3);
    const safe = Math.max(...ended);
    sim.crash('a');
    sim.restart('a');
    await sim.run(0);
    const keys = await sim.settle(store().keys());
    for (let i = 0; i <= safe; i++)
      t.true(keys.includes(`${i}`), `seed ${seed}: ${i} of ${ended} in ${keys}`);
    await sim.close();
  }
});

test('a crash during a sync keeps all of it or nothing, and its promise never settles', async (t) => {
  const { sim, store } = await setUp({ sync: 10 });
  let settled = false;
  void store().set('x', bytes(1));
  void store()
    .sync()
    .finally(() => (settled = true));
  await sim.run(5);
  sim.crash('a');
  await sim.run(50);
  sim.restart('a');
  await sim.run(50);
  t.false(settled);
  t.deepEqual(await sim.settle(store().keys()), []);
  await sim.close();
});

test('a slow disk takes its time; by default operations finish in the same instant', async (t) => {
  const { sim, store } = await setUp();
  const timed = async (make: () => Promise<unknown>) => {
    const at = sim.now;
    await sim.settle(make());
    return sim.now - at;
  };
  t.deepEqual(
    [
      await timed(() => store().set('x', bytes(1))),
      await timed(() => store().get('x')),
      await timed(() => store().sync()),
    ],
    [0, 0, 1],
  );
  sim.disk('a', { latency: 7, sync: 30 });
  t.deepEqual(
    [
      await timed(() => store().set('x', bytes(1))),
      await timed(() => store().keys()),
      await timed(() => store().sync()),
    ],
    [7, 7, 30],
  );
  await sim.close();
});

test('a read returns values that were set before it, however long either takes', async (t) => {
  const { sim, store } = await setUp({ latency: [1, 20] });
  for (let i = 0; i < 30; i++) {
    void store().set('x', bytes(i));
    t.deepEqual(await sim.settle(store().get('x')), bytes(i));
  }
  await sim.close();
});

test('a failing disk rejects with unavailable, the operation has no effect, and reads never fail', async (t) => {
  const { sim, store } = await setUp();
  await sim.settle(store().set('x', bytes(1)));
  await sim.settle(store().sync());
  sim.disk('a', { failure: 1 });
  for (const make of [
    () => store().set('x', bytes(2)),
    () => store().delete('x'),
    () => store().sync(),
  ]) {
    await t.throwsAsync(sim.settle(make()), {
      name: 'TransportError',
      code: 'unavailable',
      message: /disk of a failed/,
    });
  }
  t.deepEqual(await sim.settle(store().get('x')), bytes(1));
  sim.disk('a', {});
  sim.restart('a');
  await sim.run(1);
  t.deepEqual(await sim.settle(store().get('x')), bytes(1));
  await sim.close();
});

test('the share of failures is as configured, and the same for the same seed', async (t) => {
  const run = async (seed: number) => {
    const { sim, store } = await setUp({ failure: 0.2 }, seed);
    const failed: number[] = [];
    for (let i = 0; i < 1_000; i++)
      await sim.settle(store().set('x', bytes(1))).catch(() => failed.push(i));
    await sim.close();
    return failed;
  };
  const first = await run(1);
  t.true(first.length > 160 && first.length < 240, `${first.length}`);
  t.deepEqual(await run(1), first);
  t.notDeepEqual(await run(2), first);
});

test('a failed sync persists nothing, and the next one everything', async (t) => {
  const { sim, store } = await setUp();
  await sim.settle(store().set('x', bytes(1)));
  sim.disk('a', { failure: 1 });
  await t.throwsAsync(sim.settle(store().sync()));
  sim.disk('a', {});
  await sim.settle(store().set('y', bytes(1)));
  await sim.settle(store().sync());
  sim.restart('a');
  await sim.run(1);
  t.deepEqual(await sim.settle(store().keys()), ['x', 'y']);
  await sim.close();
});

test('each node has its own disk, and an orderly restart keeps what was synced', async (t) => {
  await using sim = createSimulation({ seed: 1, disk: { sync: 3 } });
  const stores: Record<string, Store> = {};
  for (const name of ['a', 'b']) sim.node(name, (context) => void (stores[name] = context.store));
  await sim.run(1);
  await sim.settle(stores['a']!.set('x', bytes(1)));
  t.deepEqual(await sim.settle(stores['b']!.keys()), []);
  const at = sim.now;
  await sim.settle(stores['a']!.sync());
  t.is(sim.now - at, 3);
});

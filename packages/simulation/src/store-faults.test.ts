// Tests of disks that damage data: torn and reordered writes, flipped bits, and a full disk.

import { createSimulation, type DiskOptions, type NodeContext } from './index.ts';
import test from './testing/serial.ts';

type Store = NodeContext['store'];

const bytes = (...values: number[]) => new Uint8Array(values);
const filled = (value: number, length = 64) => new Uint8Array(length).fill(value);

/** Runs a node that writes, crashes and restarts. Returns the content of its store after that. */
async function afterCrash(
  seed: number,
  disk: DiskOptions,
  write: (store: Store) => Promise<void>,
): Promise<Record<string, Uint8Array>> {
  const sim = createSimulation({ seed });
  let store: Store;
  sim.node('a', (context) => void (store = context.store), { disk });
  await sim.run(1);
  await sim.settle(write(store!));
  sim.crash('a');
  sim.restart('a');
  await sim.run(1);
  const found: Record<string, Uint8Array> = {};
  for (const key of (await sim.settle(store!.keys())).sort())
    found[key] = (await sim.settle(store!.get(key)))!;
  await sim.close();
  return found;
}

const seeds = Array.from({ length: 40 }, (_, index) => index + 1);

test('a torn write survives a crash in part, after all that came before it', async (t) => {
  const lengths = new Set<number>();
  for (const seed of seeds) {
    const found = await afterCrash(seed, { torn: 1 }, async (store) => {
      await store.set('old', filled(1));
      await store.sync();
      for (let i = 1; i <= 3; i++) await store.set(`new${i}`, filled(2));
      await store.set('old', filled(3, 80));
    });
    const old = found['old']!;
    const isTornOld = old.length === 80;
    const names = Object.keys(found).filter((key) => key !== 'old');
    t.deepEqual(
      names,
      ['new1', 'new2', 'new3'].slice(0, names.length),
      'no write overtakes another',
    );
    const last = isTornOld ? old : (found[names.at(-1)!] ?? bytes());
    const written = last.filter((byte) => byte === (isTornOld ? 3 : 2)).length;
    t.true(isTornOld || names.length > 0);
    t.true(written < last.length, 'its last bytes are missing');
    if (isTornOld)
      t.deepEqual([...old.subarray(written)], [...filled(1, 64), ...filled(0, 16)].slice(written));
    else t.true(last.subarray(written).every((byte) => byte === 0));
    lengths.add(written);
  }
  t.true(lengths.size > 10);
});

test('reordered writes survive a crash in any combination', async (t) => {
  const combinations = new Set<string>();
  for (const seed of seeds) {
    const found = await afterCrash(seed, { reordered: 1 }, async (store) => {
      await store.set('safe', bytes(1));
      await store.sync();
      for (const key of ['x', 'y', 'z']) await store.set(key, bytes(2));
      await store.delete('safe');
    });
    combinations.add(Object.keys(found).join());
    for (const [key, value] of Object.entries(found))
      t.deepEqual(value, bytes(key === 'safe' ? 1 : 2));
  }
  t.true(combinations.has('safe,y') || combinations.has('safe,z') || combinations.has('safe,y,z'));
  t.true(combinations.size > 8, [...combinations].join(' | '));
});

test('a flipped bit stays in a value until it is written again', async (t) => {
  await using sim = createSimulation();
  let store: Store;
  sim.node('a', (context) => void (store = context.store));
  await sim.run(1);
  await sim.settle(store!.set('key', filled(0)));
  await sim.settle(store!.sync());
  const bits = async () =>
    (await sim.settle(store.get('key')))!.reduce(
      (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
      0,
    );
  sim.disk('a', { rot: 1 });
  t.is(await bits(), 1);
  sim.disk('a', {});
  t.is(await bits(), 1);
  sim.restart('a');
  await sim.run(1);
  t.is(await bits(), 1);
  await sim.settle(store!.set('key', filled(0)));
  t.is(await bits(), 0);
});

test('a full disk refuses what does not fit, and takes it once there is room', async (t) => {
  await using sim = createSimulation();
  let store: Store;
  sim.node('a', (context) => void (store = context.store), { disk: { capacity: 10 } });
  await sim.run(1);
  await sim.settle(store!.set('a', filled(1, 4)));
  await t.throwsAsync(sim.settle(store!.set('b', filled(1, 5))), {
    code: 'resource_exhausted',
    message: "store.set('b'): the disk of a is full: it holds 10 bytes",
  });
  t.is(await sim.settle(store!.get('b')), undefined);
  await sim.settle(store!.set('a', filled(1, 3)));
  await sim.settle(store!.set('b', filled(1, 5)));
  await sim.settle(store!.delete('a'));
  await sim.settle(store!.set('c', filled(1, 3)));
});

test('invalid options of store faults throw TypeErrors that name them', (t) => {
  for (const [disk, message] of [
    [{ torn: 2 }, /createSimulation: disk: torn: must be a share/],
    [{ reordered: -1 }, /disk: reordered: /],
    [{ rot: 'x' }, /disk: rot: /],
    [{ capacity: -1 }, /disk: capacity: /],
  ] as const)
    t.throws(() => createSimulation({ disk: disk as never }), { instanceOf: TypeError, message });
});

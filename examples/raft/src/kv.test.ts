// Tests the key-value store: commands, repeated commands, sessions and snapshots.

import test from 'ava';
import { type Command, command, KeyValueStore, OPS, result } from './kv.ts';

let seq = 0;
const ask = (store: KeyValueStore, asked: Partial<Command>) =>
  result.decode(
    store.apply(
      command.encode({ client: 'c', seq: ++seq, op: OPS.get, key: 'k', value: '', ...asked }),
    ),
  );

test('a key is set, read and deleted, and each answer has the previous value', (t) => {
  const store = new KeyValueStore();
  t.like(ask(store, {}), { found: false, value: '', error: '' });
  t.like(ask(store, { op: OPS.set, value: 'v' }), { found: false });
  t.like(ask(store, {}), { found: true, value: 'v' });
  t.like(ask(store, { op: OPS.delete }), { found: true, value: 'v' });
  t.like(ask(store, { op: OPS.delete }), { found: false });
});

test('a repeated command takes effect once and gets the same answer', (t) => {
  const store = new KeyValueStore();
  ask(store, { client: 'a', seq: 1, op: OPS.set, value: 'a' });
  ask(store, { client: 'b', seq: 1, op: OPS.set, value: 'b' });
  t.like(ask(store, { client: 'a', seq: 1, op: OPS.set, value: 'a' }), { found: false });
  t.is(store.get('k'), 'b');
});

test('a restored snapshot is identical to the last byte, including repeated commands', (t) => {
  const [store, copy] = [new KeyValueStore(), new KeyValueStore()];
  for (const key of ['b', 'ä', 'a', '__proto__'])
    ask(store, { client: key, seq: 1, op: OPS.set, key, value: `of ${key}` });
  copy.restore(store.snapshot());
  t.is(copy.hash(), store.hash());
  ask(copy, { client: 'a', seq: 1, op: OPS.set, key: 'a', value: 'again' });
  t.is(copy.get('a'), 'of a');
});

test('the hash does not depend on the order of the keys, only on the content', (t) => {
  const filled = (...keys: string[]) => {
    const store = new KeyValueStore();
    for (const key of keys) ask(store, { op: OPS.set, key, value: 'v' });
    ask(store, { seq: 1_000, key: 'a' });
    return store;
  };
  const [one, two] = [filled('a', 'b'), filled('b', 'a')];
  t.is(one.hash(), two.hash());
  ask(two, { seq: 1_001, op: OPS.set, key: 'a', value: 'w' });
  t.not(one.hash(), two.hash());
});

test('an invalid command has a result that says so, and changes nothing', (t) => {
  const store = new KeyValueStore();
  const before = store.hash();
  t.regex(result.decode(store.apply(new Uint8Array([255, 255, 255]))).error, /Command/);
  t.is(store.hash(), before);
  t.regex(ask(store, { op: 7 }).error, /unknown operation 7/);
});

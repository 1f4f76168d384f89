// Test of the store in memory.

import { Buffer } from 'node:buffer';
import test from 'ava';
import { createMemoryStore } from './store.ts';

test('a store in memory keeps a copy of each value under its key until it is deleted', async (t) => {
  const store = createMemoryStore();
  t.is(await store.get('life'), undefined);
  const given = new Uint8Array([1, 2]);
  await store.set('life', given);
  given[0] = 9;
  const read = await store.get('life');
  t.deepEqual(read, new Uint8Array([1, 2]));
  read![0] = 9;
  t.deepEqual(await store.get('life'), new Uint8Array([1, 2]));
  await store.set('other', new Uint8Array());
  t.deepEqual(await store.keys(), ['life', 'other']);
  await store.delete('life');
  await store.delete('life');
  await store.sync();
  t.deepEqual(await store.keys(), ['other']);
});

test('a store in memory copies a Buffer, too, whose own slice returns a view', async (t) => {
  const store = createMemoryStore();
  const given = Buffer.from([1, 2]);
  await store.set('life', given);
  given[0] = 9;
  const read = await store.get('life');
  t.deepEqual(read, new Uint8Array([1, 2]));
  read![0] = 9;
  t.deepEqual(await store.get('life'), new Uint8Array([1, 2]));
});

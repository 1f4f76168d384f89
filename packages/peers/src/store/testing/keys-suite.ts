// Tests that every `Store` must pass, regardless of where it keeps its bytes.

import { Buffer } from 'node:buffer';
import type { Store } from '@trunkline/transport-core';
import type { ExecutionContext, TestFn } from 'ava';

/** Declares the tests of a store. `make` returns an empty one. */
export function keysSuite(
  test: TestFn,
  name: string,
  make: (t: ExecutionContext) => Promise<Store> | Store,
): void {
  test(`${name}: a key has the bytes that were set last, and none before it is set or after it is deleted`, async (t) => {
    const store = await make(t);
    t.is(await store.get('life'), undefined);
    await store.set('life', bytes(1, 2, 3));
    t.deepEqual(await store.get('life'), bytes(1, 2, 3));
    await store.set('life', bytes());
    t.deepEqual(await store.get('life'), bytes());
    await store.delete('life');
    await store.delete('life');
    t.is(await store.get('life'), undefined);
    await store.sync();
    t.deepEqual(await store.keys(), []);
  });

  test(`${name}: a read returns the last value even if nobody awaited its set`, async (t) => {
    const store = await make(t);
    const done = [1, 2, 3].map((value) => store.set('life', bytes(value)));
    done.push(store.set('other', bytes(7)), store.set('gone', bytes(8)), store.delete('gone'));
    t.deepEqual(await store.get('life'), bytes(3));
    t.deepEqual((await store.keys()).sort(), ['life', 'other']);
    await store.sync();
    await Promise.all(done);
    t.deepEqual((await store.keys()).sort(), ['life', 'other']);
    t.deepEqual(await store.get('other'), bytes(7));
  });

  test(`${name}: any text is a key, distinct from all others`, async (t) => {
    const store = await make(t);
    const keys = [
      '',
      '.',
      '..',
      'a',
      'A',
      'a/b',
      'a%2fb',
      '../up',
      '.lock',
      'a~',
      'é',
      'e\u0301',
      '🦊',
      'a b\n\0',
      '%',
      'con',
      'address-book.old',
    ];
    for (const [i, key] of keys.entries()) await store.set(key, bytes(i));
    t.deepEqual((await store.keys()).sort(), keys.toSorted());
    for (const [i, key] of keys.entries())
      t.deepEqual(await store.get(key), bytes(i), JSON.stringify(key));
  });

  test(`${name}: the store copies bytes that are set, and the reader owns bytes that are read`, async (t) => {
    for (const given of [bytes(1), Buffer.from([1])]) {
      const store = await make(t);
      const done = store.set('life', given);
      given[0] = 2;
      const read = await store.get('life');
      t.deepEqual(read, bytes(1));
      read![0] = 3;
      await done;
      t.deepEqual(await store.get('life'), bytes(1));
    }
  });
}

export function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

// Tests of address book stores in memory and on top of a `Store`.

import type { Store } from '@trunkline/transport-core';
import test from 'ava';
import { createMemoryAddressBook, createStoreAddressBook } from './address-book-store.ts';
import { fails, read, storeSuite, succeeded } from './testing/store-suite.ts';

storeSuite(test, 'memory', createMemoryAddressBook);

test('a Store has the current book, the previous one and the broken one, each under its key', async (t) => {
  const { store, entries } = mapStore();
  const book = createStoreAddressBook(store, 'peers');
  await book.load(read);
  for (const text of ['[one]', '[two]', 'three']) await book.save(text);
  t.deepEqual([...entries.keys()].sort(), ['peers', 'peers.old']);
  await book.close();
  await book.load(read);
  t.deepEqual(texts(entries), { 'peers.old': '[two]', 'peers.broken': 'three' });
  await book.save('[four]');
  t.deepEqual(texts(entries), { peers: '[four]', 'peers.old': '[two]', 'peers.broken': 'three' });
});

test('bytes that are not text are not a book', async (t) => {
  const { store, entries } = mapStore();
  entries.set('address-book', new Uint8Array([0x5b, 0xff, 0x5d]));
  const { value, warnings } = await createStoreAddressBook(store).load((text) => text);
  t.is(value, undefined);
  const expected = /^address book: address-book: it is broken: .*moved to 'address-book\.broken'/;
  t.regex(warnings[0]!.message, expected);
});

test('a store that fails to read causes a warning, one that fails to write an error, and a save can be retried', async (t) => {
  const { store, entries } = mapStore();
  let failing = true;
  const fail = async (): Promise<never> => {
    throw new Error('no disk');
  };
  const flaky: Store = {
    ...store,
    get: (key) => (failing ? fail() : store.get(key)),
    set: (key, value) => (failing ? fail() : store.set(key, value)),
  };
  entries.set('address-book', new TextEncoder().encode('[one]'));
  const book = createStoreAddressBook(flaky);
  const { value, warnings } = await book.load(read);
  t.is(value, undefined);
  const problem = 'the store failed: no disk; it was not changed';
  const expected = ['', '.old'].map((end) => `address book: address-book${end}: ${problem}`);
  t.deepEqual(
    Array.from(warnings, ({ message }) => message),
    expected,
  );
  await fails(t, book.save('[two]'), 'unavailable', /the store failed: no disk/);
  failing = false;
  await book.save('[two]');
  await book.close();
  t.is((await book.load(read)).value, '[two]');
});

test('a save stopped at any step, on a store that tears unsynced data, leaves the old book or the new one', async (t) => {
  let cases = 0;
  for (let stop = 0; stop < 5; stop++) {
    const safe = new Map(Object.entries({ 'address-book': '[two]', 'address-book.old': '[one]' }));
    let unsafe: [string, string][] = [];
    let steps = 0;
    const step = () => {
      if (steps++ >= stop) throw new Error('stopped');
    };
    const encode = (text: string | undefined) =>
      text === undefined ? undefined : new TextEncoder().encode(text);
    const store: Store = {
      ...mapStore().store,
      get: async (key) => encode(safe.get(key)),
      set: async (key, value) => {
        unsafe.push([key, new TextDecoder().decode(value)]);
        step();
      },
      sync: async () => {
        step();
        for (const [key, value] of unsafe) safe.set(key, value);
        unsafe = [];
      },
    };
    const book = createStoreAddressBook(store);
    t.is((await book.load(read)).value, '[two]');
    const saved = await succeeded(book.save('[three]'));
    t.is(saved, stop === 4);
    for (let fate = 0; fate < 3 ** unsafe.length; fate++) {
      const { store: after, entries } = mapStore();
      for (const [key, value] of safe) entries.set(key, encode(value)!);
      for (const [i, [key, value]] of unsafe.entries()) {
        const how = Math.floor(fate / 3 ** i) % 3;
        if (how > 0) entries.set(key, encode(how === 1 ? value : value.slice(0, 2))!);
      }
      const { value } = await createStoreAddressBook(after).load(read);
      t.true(
        saved ? value === '[three]' : value === '[two]' || value === '[three]',
        `stopped at ${stop}: ${JSON.stringify(texts(entries))}`,
      );
      cases++;
    }
  }
  t.true(cases > 8);
});

function mapStore(): { store: Store; entries: Map<string, Uint8Array> } {
  const entries = new Map<string, Uint8Array>();
  const store: Store = {
    get: async (key) => entries.get(key),
    set: async (key, value) => void entries.set(key, value),
    delete: async (key) => void entries.delete(key),
    keys: async () => [...entries.keys()],
    sync: async () => {},
  };
  return { store, entries };
}

function texts(entries: Map<string, Uint8Array>): Record<string, string> {
  const decoder = new TextDecoder();
  return Object.fromEntries([...entries].map(([key, bytes]) => [key, decoder.decode(bytes)]));
}

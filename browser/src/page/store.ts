// Cases of the store in IndexedDB, which need a browser.

import { createStoreAddressBook } from '@trunkline/peers';
import { createIndexedDbStore } from '@trunkline/peers/browser';
import { TransportError } from '@trunkline/transport-core';
import type { TestFunction } from '@trunkline/transport-testkit';

const bytes = (text: string) => new TextEncoder().encode(text);

export function storeCases(test: TestFunction): void {
  test('a store keeps a copy of each value under its key until it is deleted', async (t) => {
    await using store = createIndexedDbStore('copies');
    t.is(await store.get('life'), undefined);
    const given = bytes('ab');
    const setting = store.set('life', given);
    given[0] = 0;
    t.deepEqual(await store.get('life'), bytes('ab'), 'a read sees a change that is under way');
    await setting;
    const read = await store.get('life');
    read![0] = 0;
    t.deepEqual(await store.get('life'), bytes('ab'));
    await store.set('', new Uint8Array());
    t.deepEqual(await store.keys(), ['', 'life']);
    t.deepEqual(await store.get(''), new Uint8Array());
    await store.delete('life');
    await store.delete('life');
    t.deepEqual(await store.keys(), ['']);
  });

  test('a value outlives its store, and two databases are separate', async (t) => {
    const first = createIndexedDbStore('kept');
    void first.set('a', bytes('old'));
    void first.set('a', bytes('new'));
    await first.sync();
    await first.close();
    await using second = createIndexedDbStore('kept');
    await using other = createIndexedDbStore('other');
    t.deepEqual(await second.get('a'), bytes('new'));
    t.deepEqual(await other.keys(), []);
  });

  test('close saves what was set, and ends the store', async (t) => {
    const store = createIndexedDbStore('closing');
    const setting = store.set('a', bytes('1'));
    await Promise.all([store.close(), store.close()]);
    await setting;
    const uses = [
      () => store.get('a'),
      () => store.set('a', bytes('2')),
      () => store.keys(),
      () => store.sync(),
    ];
    for (const use of uses) {
      const error = await t.throwsAsync(use, { instanceOf: TransportError });
      t.is((error as TransportError).code, 'shutdown');
    }
    await using again = createIndexedDbStore('closing');
    t.deepEqual(await again.get('a'), bytes('1'));
  });

  test('a value above 64 MiB is refused, and the previous one stays', async (t) => {
    await using store = createIndexedDbStore('large');
    await store.set('a', bytes('small'));
    const error = await t.throwsAsync(store.set('a', new Uint8Array(67_108_865)), {
      message: /67108865 bytes/,
    });
    t.is((error as TransportError).code, 'resource_exhausted');
    t.deepEqual(await store.get('a'), bytes('small'));
  });

  test('a database that is deleted while it is open is made again by the next operation', async (t) => {
    await using store = createIndexedDbStore('deleted');
    await store.set('a', bytes('1'));
    await deleted('deleted');
    t.is(await store.get('a'), undefined);
    await store.set('a', bytes('2'));
    t.deepEqual(await store.get('a'), bytes('2'));
  });

  test('a database of another format is refused with failed_precondition', async (t) => {
    await foreign('foreign');
    await using store = createIndexedDbStore('foreign');
    const error = await t.throwsAsync(store.get('a'), { message: /IndexedDB 'foreign'/ });
    t.is((error as TransportError).code, 'failed_precondition');
  });

  test('an address book is loaded from the store that it was saved to', async (t) => {
    const read = (text: string) => text;
    await using store = createIndexedDbStore('book');
    const book = createStoreAddressBook(store);
    t.deepEqual(await book.load(read), { value: undefined, warnings: [] });
    await book.save('[one]');
    await book.save('[two]');
    await book.close();
    const again = createStoreAddressBook(store);
    t.deepEqual(await again.load(read), { value: '[two]', warnings: [] });
  });

  test('a name must be a string of at least one character', (t) => {
    for (const name of ['', undefined, 5])
      t.throws(() => createIndexedDbStore(name as string), {
        instanceOf: TypeError,
        message: /^createIndexedDbStore: name:/,
      });
  });
}

declare const indexedDB: {
  deleteDatabase(name: string): DatabaseRequest;
  open(name: string, version: number): DatabaseRequest;
};
interface DatabaseRequest {
  readonly result: { close(): void };
  onsuccess: () => void;
  onerror: () => void;
}

function deleted(name: string): Promise<void> {
  return done(indexedDB.deleteDatabase(name));
}

/** Creates a database of a later version and closes it. */
async function foreign(name: string): Promise<void> {
  const request = indexedDB.open(name, 2);
  await done(request);
  request.result.close();
}

function done(request: DatabaseRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onerror = reject;
  });
}

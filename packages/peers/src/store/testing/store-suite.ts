// Tests that every address book store must pass, regardless of where it keeps the book.

import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import type { ExecutionContext, TestFn } from 'ava';
import type { AddressBookStore } from '../address-book-store.ts';

/** Parses a book of the tests; throws for any text that is not '[…]'. */
export function read(text: string): string {
  if (!/^\[.*\]$/s.test(text)) throw new Error(`no book: ${text.slice(0, 20)}`);
  return text;
}

/** Returns whether a promise is fulfilled. */
export function succeeded(done: Promise<unknown>): Promise<boolean> {
  return done.then(
    () => true,
    () => false,
  );
}

/** Checks that a promise rejects with such an error. */
export async function fails(
  t: ExecutionContext,
  promise: Promise<unknown>,
  code: ErrorCode,
  message: RegExp,
): Promise<void> {
  t.is((await t.throwsAsync(promise, { instanceOf: TransportError, message }))?.code, code);
}

/** Saves texts during one session of a store. */
async function saveAll(store: AddressBookStore, ...texts: string[]): Promise<void> {
  await store.load(read);
  for (const text of texts) await store.save(text);
  await store.close();
}

/** Opens and closes a store without saving. Returns what was loaded. */
async function found(store: AddressBookStore) {
  const loaded = await store.load(read);
  await store.close();
  return loaded;
}

/** Declares the tests of an address book store. `make` returns an empty one. */
export function storeSuite(
  test: TestFn,
  name: string,
  make: (t: ExecutionContext) => Promise<AddressBookStore> | AddressBookStore,
): void {
  test(`${name}: nothing is found if nothing was saved`, async (t) => {
    const store = await make(t);
    for (let i = 0; i < 2; i++) t.deepEqual(await found(store), { value: undefined, warnings: [] });
  });

  test(`${name}: the last save is found after a close, unchanged`, async (t) => {
    const store = await make(t);
    for (const text of ['[one]', '[two ünï 🦊\r\n\0]', '[]', `[${'x'.repeat(300_000)}]`]) {
      await saveAll(store, '[before]', text);
      t.deepEqual(await found(store), { value: text, warnings: [] });
    }
  });

  test(`${name}: it has one user at a time`, async (t) => {
    const store = await make(t);
    await fails(t, store.save('[early]'), 'failed_precondition', /call load\(\) first/);
    const first = store.load(read);
    await fails(t, store.load(read), 'failed_precondition', /in use/);
    await first;
    await fails(t, store.load(read), 'failed_precondition', /in use/);
    await store.save('[one]');
    await store.close();
    await fails(t, store.save('[late]'), 'failed_precondition', /call load\(\) first/);
    t.is((await found(store)).value, '[one]');
  });

  test(`${name}: if the reader does not understand the text, it gets the previous one, with a warning`, async (t) => {
    const store = await make(t);
    await saveAll(store, '[one]', 'two');
    const { value, warnings } = await store.load(read);
    t.is(value, '[one]');
    t.true(warnings.length === 2 && warnings.every(({ code }) => code === 'data_loss'));
    t.regex(warnings[0]!.message, /no book: two; it was moved to '.*\.broken'/);
    t.regex(warnings[1]!.message, /\.old', which was saved before it, is used/);
    await store.save('[three]');
    await store.close();
    t.deepEqual(await found(store), { value: '[three]', warnings: [] });
    await saveAll(store, 'four');
    const last = (await found(store)).value;
    t.is(last, '[three]', 'the broken book did not replace the good book');
  });

  test(`${name}: if the reader understands neither, the result is nothing, with two warnings`, async (t) => {
    const store = await make(t);
    await saveAll(store, 'one', 'two');
    const { value, warnings } = await store.load(read);
    t.is(value, undefined);
    const broken = warnings.map(({ message }) => /no book: (one|two)/.exec(message)?.[1]);
    t.deepEqual(broken, ['two', 'one']);
    await store.save('[three]');
    await store.close();
    t.deepEqual(await found(store), { value: '[three]', warnings: [] });
  });
}

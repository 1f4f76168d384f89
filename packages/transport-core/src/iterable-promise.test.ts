// Tests of promises of streams that are iterated without being awaited. AVA fails the file if one
// of them leaves a rejection unhandled.

import test from 'ava';
import { iterable } from './errors.ts';
import { pluck } from './testing/pluck.ts';

/** A stream of 1, 2 and 3, and whether it was closed. */
function stream() {
  const state = { isClosed: false };
  async function* numbers() {
    try {
      yield 1;
      yield 2;
      yield 3;
    } finally {
      state.isClosed = true;
    }
  }
  return { items: numbers(), state };
}

type Numbers = Promise<AsyncIterable<number>> & AsyncIterable<number>;
const promised = (promise: Promise<AsyncIterable<number>>) => iterable(promise) as Numbers;
async function read(items: AsyncIterable<number>): Promise<number[]> {
  const numbers: number[] = [];
  for await (const number of items) numbers.push(number);
  return numbers;
}

test('the promise is the same one, yields what its stream yields, and can still be awaited', async (t) => {
  const { items } = stream();
  const promise = Promise.resolve(items);
  const call = promised(promise);
  t.is(call as unknown, promise);
  t.is(iterable(call), call);
  t.deepEqual(Object.keys(call), []);
  t.is(await call, items);
  t.deepEqual(await read(call), [1, 2, 3]);
  t.deepEqual(await read(call), [], 'a second loop gets what the stream has left');
});

test('leaving the loop closes the stream', async (t) => {
  const { items, state } = stream();
  for await (const number of promised(Promise.resolve(items))) {
    t.is(number, 1);
    break;
  }
  t.true(state.isClosed);
});

test('reads that do not wait for each other get the items in order', async (t) => {
  const iterator = promised(Promise.resolve(stream().items))[Symbol.asyncIterator]();
  const reads = await Promise.all([1, 2, 3, 4].map(() => iterator.next()));
  t.deepEqual(pluck(reads, 'value'), [1, 2, 3, undefined]);
});

test('leaving before the stream is there closes it as soon as it is', async (t) => {
  const { items, state } = stream();
  let resolve = (_: AsyncIterable<number>) => {};
  const iterator = promised(new Promise((made) => (resolve = made)))[Symbol.asyncIterator]();
  const first = iterator.next();
  const left = iterator.return!();
  resolve(items);
  t.is((await first).value, 1);
  t.true((await left).done);
  t.true(state.isClosed);
});

test('an iterable without return can be left, too', async (t) => {
  const endless = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1 }) }) };
  for await (const number of promised(Promise.resolve(endless))) {
    t.is(number, 1);
    break;
  }
});

test('each loop over a promise that rejects throws its error', async (t) => {
  const call = promised(Promise.reject(new Error('no')));
  await t.throwsAsync(read(call), { message: 'no' });
  await t.throwsAsync(read(call), { message: 'no' });
  await t.throwsAsync(call, { message: 'no' });
  await t.throwsAsync(call[Symbol.asyncIterator]().return!(), { message: 'no' });
});

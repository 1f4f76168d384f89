// Tests of the pool of batch buffers.

import test from 'ava';
import { BufferPool } from './transport-resources.ts';

test('a returned buffer is the next one taken', (t) => {
  const pool = new BufferPool(1_000);
  const first = pool.take(10);
  t.is(first.length, 1_000);
  const second = pool.take(1_000);
  t.not(second, first);
  pool.give(first);
  t.is(pool.take(500), first);
  t.not(pool.take(500), first);
});

test('a larger buffer is allocated to measure and not kept', (t) => {
  const pool = new BufferPool(1_000);
  const large = pool.take(5_000);
  t.is(large.length, 5_000);
  pool.give(large);
  pool.give(undefined);
  t.is(pool.take(1).length, 1_000);
  t.is(pool.take(5_000).length, 5_000);
});

test('the number of kept buffers is limited', (t) => {
  const pool = new BufferPool(64);
  const buffers = Array.from({ length: 100 }, () => pool.take(64));
  for (const buffer of buffers) pool.give(buffer);
  const again = new Set(Array.from({ length: 100 }, () => pool.take(64)));
  t.is(buffers.filter((buffer) => again.has(buffer)).length, 32);
});

test('a pool returns plain Uint8Arrays', (t) => {
  t.is(Object.getPrototypeOf(new BufferPool(64).take(1)), Uint8Array.prototype);
});

// Tests the size of the batches that leave before the end of a tick.

import test from 'ava';
import { BatchPacer, BOUNDED } from './batch.ts';

test('a batch is half of the calls in flight, in steps of 8 and never below', (t) => {
  const pacer = new BatchPacer();
  for (const [calls, batch] of [
    [1, 8],
    [16, 8],
    [20, 16],
    [128, 64],
    [2_048, 1_024],
  ] as const) {
    pacer.read(calls, 0, 1);
    t.is(pacer.batch, batch);
  }
});

test('an end that answers waits for a quarter of the calls that the peer has in flight', (t) => {
  const pacer = new BatchPacer();
  pacer.read(0, 8, 8);
  t.is(pacer.batch, 8);
  pacer.read(0, 128, 64);
  t.is(pacer.batch, 32);
  pacer.read(0, 120, 64);
  t.is(pacer.batch, 32, 'a chunk without the highest ids changes nothing');
});

test('without calls in flight, one-way messages leave 128 at a time, 32 if a rate limits them', (t) => {
  for (const [pacer, batch] of [
    [new BatchPacer(), 128],
    [new BatchPacer(BOUNDED), 32],
  ] as const) {
    t.is(pacer.batch, batch);
    pacer.read(0, 0, 1);
    t.is(pacer.batch, batch);
    pacer.read(1, 0, 1);
    t.is(pacer.batch, 8);
    for (let chunk = 0; chunk < 10; chunk++) pacer.read(0, 0, 1);
    t.is(pacer.batch, batch);
  }
});

test('an end that does both waits for the larger number', (t) => {
  const pacer = new BatchPacer();
  pacer.read(128, 64, 64);
  t.is(pacer.batch, 64);
  pacer.read(128, 1_024, 64);
  t.is(pacer.batch, 256);
});

test('calls made in waves do not shrink the batch to nothing', (t) => {
  const pacer = new BatchPacer();
  for (let wave = 0; wave < 1_000; wave++)
    for (let calls = 128; calls > 0; calls -= pacer.batch) pacer.read(calls, 0, pacer.batch);
  t.true(pacer.batch >= 16, `a batch of ${pacer.batch}`);
});

test('bytes that were in flight long ago are forgotten', (t) => {
  const pacer = new BatchPacer();
  pacer.read(4_096, 0, 1);
  for (let chunk = 0; chunk < 200; chunk++) pacer.read(1, 0, 1);
  t.is(pacer.batch, 8);
});

test('few messages that come one at a time are alone; several in a chunk, or one of many in flight, are not', (t) => {
  const pacer = new BatchPacer();
  t.false(pacer.leaves(1));
  pacer.read(1, 0, 1);
  t.true(pacer.leaves(1));
  pacer.read(2, 0, 2);
  t.false(pacer.leaves(1));
  pacer.read(128, 0, 1);
  t.false(pacer.leaves(1));
});

// Tests the size of the batches that leave before the end of a tick.

import test from 'ava';
import { Pace } from './pace.ts';

test('a batch is half of the calls in flight, in steps of 8 and never below', (t) => {
  const pace = new Pace();
  for (const [calls, batch] of [
    [1, 8],
    [16, 8],
    [20, 16],
    [128, 64],
    [2_048, 1_024],
  ] as const) {
    pace.read(calls, 0, 1);
    t.is(pace.batch, batch);
  }
});

test('an end that answers waits for a quarter of what the peer has in flight', (t) => {
  const pace = new Pace();
  pace.read(0, 8, 8);
  t.is(pace.batch, 8);
  pace.read(0, 128, 64);
  t.is(pace.batch, 32);
  pace.read(0, 120, 64);
  t.is(pace.batch, 32, 'a chunk without the highest ids changes nothing');
});

test('where no calls are in flight, one-ways leave 128 at a time, 32 where a rate bounds them', (t) => {
  for (const [pace, batch] of [
    [new Pace(), 128],
    [new Pace(true), 32],
  ] as const) {
    t.is(pace.batch, batch);
    pace.read(0, 0, 1);
    t.is(pace.batch, batch);
    pace.read(1, 0, 1);
    t.is(pace.batch, 8);
    for (let chunk = 0; chunk < 10; chunk++) pace.read(0, 0, 1);
    t.is(pace.batch, batch);
  }
});

test('an end that does both waits for the more', (t) => {
  const pace = new Pace();
  pace.read(128, 64, 64);
  t.is(pace.batch, 64);
  pace.read(128, 1_024, 64);
  t.is(pace.batch, 256);
});

test('calls made in waves do not shrink the batch to nothing', (t) => {
  const pace = new Pace();
  for (let wave = 0; wave < 1_000; wave++) for (let calls = 128; calls > 0; calls -= pace.batch) pace.read(calls, 0, pace.batch);
  t.true(pace.batch >= 16, `a batch of ${pace.batch}`);
});

test('what was in flight long ago is forgotten', (t) => {
  const pace = new Pace();
  pace.read(4_096, 0, 1);
  for (let chunk = 0; chunk < 200; chunk++) pace.read(1, 0, 1);
  t.is(pace.batch, 8);
});

test('few that come one at a time are alone; several in a chunk are not, nor is one of many in flight', (t) => {
  const pace = new Pace();
  t.false(pace.alone);
  pace.read(1, 0, 1);
  t.true(pace.alone);
  pace.read(2, 0, 2);
  t.false(pace.alone);
  pace.read(128, 0, 1);
  t.false(pace.alone);
});

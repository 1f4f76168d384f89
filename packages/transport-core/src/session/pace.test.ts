import test from 'ava';
import { Pace } from './pace.ts';

test('a batch is three eighths of the calls in flight, and never below 8', (t) => {
  const pace = new Pace();
  t.is(pace.batch, 32);
  for (const [calls, batch] of [
    [1, 8],
    [23, 8],
    [128, 48],
    [2_048, 768],
  ] as const) {
    pace.read(calls, 1);
    t.is(pace.batch, batch);
  }
});

test('an end that only answers waits for 32, or three eighths of the largest chunk', (t) => {
  const pace = new Pace();
  pace.read(0, 8);
  t.is(pace.batch, 32);
  pace.read(0, 700);
  t.is(pace.batch, 262);
});

test('calls made in waves do not shrink the batch to nothing', (t) => {
  const pace = new Pace();
  for (let wave = 0; wave < 1_000; wave++) for (let calls = 128; calls > 0; calls -= pace.batch) pace.read(calls, pace.batch);
  t.true(pace.batch >= 16, `a batch of ${pace.batch}`);
});

test('what was in flight long ago is forgotten', (t) => {
  const pace = new Pace();
  pace.read(4_096, 1);
  for (let chunk = 0; chunk < 200; chunk++) pace.read(1, 1);
  t.is(pace.batch, 8);
});

test('few that come one at a time are alone; several in a chunk are not, nor is one of many in flight', (t) => {
  const pace = new Pace();
  t.false(pace.alone);
  pace.read(1, 1);
  t.true(pace.alone);
  pace.read(2, 2);
  t.false(pace.alone);
  pace.read(128, 1);
  t.false(pace.alone);
});

// Tests of the ticker: one reading of the clock and one flush for each tick.

import test from 'ava';
import { createManualClock } from '../manual-clock.ts';
import { Ticker } from './transport-resources.ts';

function scene() {
  const clock = createManualClock(0);
  let reads = 0;
  const counting = {
    ...clock,
    now: () => {
      reads++;
      return clock.now();
    },
  };
  const ticker = new Ticker(counting);
  const log: string[] = [];
  const flushable = (name: string) => ({
    flushTick: () => void log.push(`${name} ${ticker.now()}`),
  });
  return { clock, ticker, log, flushable, reads: () => reads };
}

test('the time is read once per tick', async (t) => {
  const { clock, ticker, reads } = scene();
  t.is(ticker.now(), 0);
  clock.advance(5);
  t.is(ticker.now(), 0);
  t.is(reads(), 1);
  await null;
  t.is(ticker.now(), 5);
});

test('an event reads the time again, and its writes are flushed at its end', (t) => {
  const { clock, ticker, log, flushable } = scene();
  ticker.now();
  clock.advance(7);
  const result = ticker.run((now) => {
    t.is(now, 7);
    ticker.touch(flushable('a'));
    t.deepEqual(log, []);
    return 'done';
  });
  t.is(result, 'done');
  t.deepEqual(log, ['a 7']);
});

test('an event within an event counts as one', (t) => {
  const { ticker, log, flushable } = scene();
  ticker.run(() => {
    ticker.run(() => ticker.touch(flushable('inner')));
    t.deepEqual(log, []);
  });
  t.deepEqual(log, ['inner 0']);
});

test('connections written outside an event are flushed once at the end of the tick', async (t) => {
  const { ticker, log, flushable } = scene();
  ticker.now();
  ticker.touch(flushable('a'));
  ticker.touch(flushable('b'));
  t.deepEqual(log, []);
  await null;
  t.deepEqual(log, ['a 0', 'b 0']);
  await null;
  t.is(log.length, 2);
});

test('a flush at the end of a tick in which nobody asked for the time reads it once', async (t) => {
  const { clock, ticker, log, flushable, reads } = scene();
  clock.advance(4);
  ticker.touch(flushable('a'));
  await null;
  t.deepEqual(log, ['a 4']);
  t.is(reads(), 1);
  await null;
  t.is(ticker.now(), 4);
  t.is(reads(), 2, 'the tick is over');
});

test('connections written during a flush are flushed, too', (t) => {
  const { ticker, log, flushable } = scene();
  ticker.run(() => ticker.touch({ flushTick: () => ticker.touch(flushable('second')) }));
  t.deepEqual(log, ['second 0']);
});

test('an event that throws leaves a ticker that works', (t) => {
  const { ticker, log, flushable } = scene();
  t.throws(
    () =>
      ticker.run(() => {
        ticker.touch(flushable('a'));
        throw new Error('no');
      }),
    { message: 'no' },
  );
  t.deepEqual(log, ['a 0']);
  ticker.run(() => ticker.touch(flushable('b')));
  t.deepEqual(log, ['a 0', 'b 0']);
});

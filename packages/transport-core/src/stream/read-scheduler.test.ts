// Tests of the turns in which connections share the processor.

import test from 'ava';
import { createManualClock } from '../manual-clock.ts';
import { SHARE, TURN } from '../session/session-context.ts';
import { ReadScheduler } from './transport-resources.ts';

/** Creates a ReadScheduler on a clock whose turns the test ends. */
function scene() {
  const manual = createManualClock(0);
  const ends: (() => void)[] = [];
  const scheduler = new ReadScheduler({ ...manual, turn: (callback) => void ends.push(callback) });
  const log: string[] = [];
  const connection = (name: string, cost = 0) => {
    const reader = {
      goOn() {
        log.push(name);
        scheduler.spend(cost, reader);
      },
    };
    return reader;
  };
  const only = connection('only');
  return { manual, scheduler, log, connection, only, ends, next: () => ends.shift()!() };
}

test('a turn is requested as a method of its clock', (t) => {
  const clock = {
    ...createManualClock(0),
    ends: [] as (() => void)[],
    turn(callback: () => void) {
      this.ends.push(callback);
    },
  };
  const scheduler = new ReadScheduler(clock);
  scheduler.endTurn();
  clock.ends.shift()!();
  t.is(scheduler.number, 1);
});

test('a transport with little to do requests no turns', (t) => {
  const { scheduler, only, ends } = scene();
  for (let spent = 0; spent < TURN / 2 - 10; spent += 10) scheduler.spend(10, only);
  t.is(ends.length, 0);
  scheduler.spend(10, only);
  t.is(ends.length, 1);
  scheduler.spend(10, only);
  t.is(ends.length, 1, 'its end is requested once');
});

test('each turn gives every connection fresh units', (t) => {
  const { scheduler, only, next } = scene();
  t.is(scheduler.allowance, TURN);
  scheduler.spend(2 * TURN, only);
  t.is(scheduler.allowance, SHARE);
  next();
  t.deepEqual([scheduler.number, scheduler.allowance], [1, TURN]);
});

test('a turn is half as long if several connections were read in the one before', (t) => {
  const { scheduler, connection, only, next } = scene();
  scheduler.spend(TURN, only);
  scheduler.spend(1, connection('other'));
  next();
  t.is(scheduler.allowance, TURN / 2);
  scheduler.spend(TURN / 4, only);
  next();
  t.is(scheduler.allowance, TURN, 'only one was read');
});

test('waiting connections continue in order of arrival, as many as one turn has units for', (t) => {
  const { scheduler, log, connection, ends, next } = scene();
  for (const name of ['a', 'b', 'c', 'd'])
    scheduler.wait(connection(name, name === 'd' ? 1 : TURN / 2));
  t.is(ends.length, 1);
  next();
  t.deepEqual(log, ['a', 'b']);
  next();
  t.deepEqual(log, ['a', 'b', 'c'], 'a turn of several connections is half as long');
  next();
  t.deepEqual(log, ['a', 'b', 'c', 'd']);
  t.is(ends.length, 0);
});

test('connections that wait share the units of a turn', (t) => {
  const { scheduler, next } = scene();
  const allowances: number[] = [];
  const waitAll = (count: number) => {
    for (let n = 0; n < count; n++)
      scheduler.wait({ goOn: () => void allowances.push(scheduler.allowance) });
    next();
    return new Set(allowances.splice(0));
  };
  t.deepEqual(waitAll(1), new Set([TURN]));
  t.deepEqual(waitAll(4), new Set([TURN / 4]));
  t.deepEqual(waitAll(100), new Set([SHARE]));
  t.is(scheduler.allowance, TURN, 'others that are read in this turn have their own units');
});

test('a connection that waits again in its turn comes after the others, and not twice in one turn', (t) => {
  const { scheduler, log, connection, next } = scene();
  const greedy = {
    goOn() {
      log.push('greedy');
      scheduler.wait(greedy);
    },
  };
  scheduler.wait(greedy);
  scheduler.wait(connection('other'));
  next();
  t.deepEqual(log, ['greedy', 'other']);
  next();
  t.deepEqual(log, ['greedy', 'other', 'greedy']);
});

test('a connection that is over does not count as one that is read', (t) => {
  const { scheduler, connection, only, next } = scene();
  scheduler.spend(1, only);
  scheduler.leave(only);
  scheduler.spend(TURN, connection('other'));
  next();
  t.is(scheduler.allowance, TURN);
});

test('a connection that is over does not continue', (t) => {
  const { scheduler, log, connection, next } = scene();
  const gone = connection('gone');
  const first = {
    goOn() {
      log.push('first');
      scheduler.leave(gone);
    },
  };
  scheduler.wait(first);
  scheduler.wait(gone);
  next();
  t.deepEqual(log, ['first']);
});

test('a clock without turns uses a timer of 0, which a closed transport does not leave behind', (t) => {
  const { turn: _, ...manual } = createManualClock(0);
  const scheduler = new ReadScheduler(manual);
  let ran = 0;
  scheduler.wait({ goOn: () => void ran++ });
  manual.advance(0);
  t.is(ran, 1);
  scheduler.wait({ goOn: () => void ran++ });
  scheduler.stop();
  manual.advance(10);
  t.is(ran, 1);
});

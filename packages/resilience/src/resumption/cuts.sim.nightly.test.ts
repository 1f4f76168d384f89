// Streams in simulation, with many seeds: connections are cut at random, and every item arrives
// exactly once and in order, or the stream ends with a documented failure.

import { seeds } from '../testing/seeds.ts';
import test from '../testing/serial.ts';
import { NETWORK, RESETS, runCuts, total } from './testing/cuts.ts';

test('connections are reset at random: every item arrives once and in order', async (t) => {
  const outcomes = [];
  for (const seed of seeds(300))
    outcomes.push(await runCuts({ seed, nemesis: RESETS, length: 1_000, streams: 3 }));
  const { items, completed, failures, runs, calls } = total(outcomes);
  t.log({ items, completed, failures, runs, calls });
  const streams = outcomes.length * 3;
  t.is(completed + (failures['unknown'] ?? 0), streams, JSON.stringify(failures));
  t.true(completed >= streams * 0.9);
  t.true(calls > 4 * streams, 'the streams were continued many times');
  t.true(runs <= streams, 'a handler runs at most once for a stream');
});

test('the network fails in many ways: no gap and no duplicate', async (t) => {
  const outcomes = [];
  for (const seed of seeds(200))
    outcomes.push(await runCuts({ seed, nemesis: NETWORK, length: 500, streams: 3 }));
  const { items, completed, failures, runs } = total(outcomes);
  t.log({ items, completed, failures, runs });
  t.true(completed >= outcomes.length * 3 * 0.8, JSON.stringify(failures));
  t.true(runs <= outcomes.length * 3);
});

test('a small ring makes gaps, which are reported as such', async (t) => {
  const outcomes = [];
  for (const seed of seeds(100))
    outcomes.push(
      await runCuts({
        seed,
        nemesis: RESETS,
        length: 1_000,
        streams: 3,
        items: 60,
        disconnected: 'continue',
      }),
    );
  const { completed, failures } = total(outcomes);
  t.log({ completed, failures });
  t.true((failures['gap'] ?? 0) > 0);
  t.true(completed > 0);
  const known = completed + (failures['gap'] ?? 0) + (failures['unknown'] ?? 0);
  t.is(known, outcomes.length * 3, JSON.stringify(failures));
});

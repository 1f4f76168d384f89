// Tests of how the messages seen of one origin are remembered.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { OriginWindow, type OriginWindowLimits } from './origin-window.ts';

const limits = { retention: 90_000, gaps: 16 };

/** Looks up a sequence and remembers it. */
function note(window: OriginWindow, sequence: number, now: number, given: OriginWindowLimits) {
  const verdict = window.look(sequence, now, given);
  if (verdict === 'new') window.take(sequence, now, given);
  return verdict;
}

test('messages in order, late or out of order are each new once', (t) => {
  const window = new OriginWindow();
  for (const sequence of [0, 1, 5, 3, 2, 4, 9])
    t.is(note(window, sequence, 0, limits), 'new', `${sequence}`);
  for (const sequence of [0, 1, 2, 3, 4, 5, 9])
    t.is(note(window, sequence, 0, limits), 'seen', `${sequence}`);
  for (const sequence of [8, 6, 7]) t.is(note(window, sequence, 0, limits), 'new');
  t.is(window.gaps, 0);
});

test('only the next message of a stream is accepted; a gap below it stays open', (t) => {
  const window = new OriginWindow();
  t.false(window.takeNext(1));
  t.true(window.takeNext(0));
  t.false(window.takeNext(0));
  t.is(note(window, 5, 0, limits), 'new');
  t.true(window.takeNext(6));
  t.true(window.gaps > 0);
  for (const sequence of [0, 5, 6]) t.is(window.look(sequence, 0, limits), 'seen');
  for (const sequence of [1, 4, 7]) t.is(window.look(sequence, 0, limits), 'new');
});

test('a node that joins a stream late accepts earlier messages while the gap stays open', (t) => {
  const window = new OriginWindow();
  t.is(note(window, 5_000, 0, limits), 'new');
  t.is(note(window, 4_990, 89_999, limits), 'new');
  // The part of the gap below keeps its time; the part above counts as new, because the stream has
  // just continued.
  t.is(window.look(4_000, 90_000, limits), 'old');
  t.is(window.look(4_995, 90_000, limits), 'new');
  window.closeOld(90_000, limits);
  t.is(window.look(4_000, 90_000, limits), 'old');
  t.is(window.closesAt(limits), 179_999);
  window.closeOld(179_999, limits);
  t.is(window.gaps, 0);
  t.is(window.look(4_995, 180_000, limits), 'old');
  t.is(window.look(5_001, 180_000, limits), 'new');
});

test('a forged sequence far ahead neither costs much nor blocks the stream', (t) => {
  const window = new OriginWindow();
  for (let sequence = 0; sequence < 10; sequence++) note(window, sequence, 0, limits);
  t.is(note(window, 2 ** 48 - 1, 0, limits), 'new');
  for (let sequence = 10; sequence < 1_000; sequence++)
    t.is(note(window, sequence, sequence * 1_000, limits), 'new');
  t.is(note(window, 999, 1_000_000, limits), 'seen');
});

test('if there are too many gaps the lowest is dropped, and none of it is ever new again', (t) => {
  const window = new OriginWindow();
  for (let sequence = 0; sequence < 200; sequence += 2) note(window, sequence, 0, limits);
  // The highest 16 of 99 gaps are left.
  for (let sequence = 1; sequence < 199; sequence += 2)
    t.is(window.look(sequence, 0, limits), sequence < 199 - 32 ? 'old' : 'new', `${sequence}`);
  t.is(window.look(0, 0, limits), 'old');
  t.is(window.look(198, 0, limits), 'seen');
});

test('an origin window gives the same answers as a set of numbers, in any order', (t) => {
  for (const seed of seeds(60)) {
    const random = seededRandom(seed);
    const window = new OriginWindow();
    const seen = new Set<number>();
    const wide = { retention: 1e9, gaps: 1_000 };
    for (let i = 0; i < 300; i++) {
      const sequence = Math.floor(random() * 200);
      const expected = seen.has(sequence) ? 'seen' : 'new';
      t.is(window.look(sequence, i, wide), expected, `seed ${seed}: ${sequence}`);
      t.is(note(window, sequence, i, wide), expected, `seed ${seed}: ${sequence}`);
      seen.add(sequence);
    }
  }
});

test('nothing is new twice, whatever the limits', (t) => {
  for (const seed of seeds(60)) {
    const random = seededRandom(seed);
    const window = new OriginWindow();
    const tight = { retention: 50, gaps: 1 + (seed % 4) };
    const taken = new Set<number>();
    for (let i = 0; i < 500; i++) {
      const sequence = Math.floor(i / 4 + random() * 60);
      if (random() < 0.05) window.closeOld(i, tight);
      if (note(window, sequence, i, tight) !== 'new') continue;
      t.false(taken.has(sequence), `seed ${seed}: ${sequence} was new twice`);
      taken.add(sequence);
    }
  }
});

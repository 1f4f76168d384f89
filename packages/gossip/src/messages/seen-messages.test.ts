// Tests of how messages of many origins are remembered: duplicates, lives, limits and floods.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { messageKey } from './message-id.ts';
import { Introducers, SeenMessages } from './seen-messages.ts';

const options = { retention: 90_000, originRetention: 600_000, origins: 100, gaps: 16 };
const id = (sequence: number, origin = 'a', epoch = 1) => ({ origin, epoch, sequence });

test('an origin that is known to have begun a life is accepted although its number is lower; its earlier lives are old', (t) => {
  const seen = new SeenMessages(options);
  seen.begin(id(0, 'a', 5));
  t.is(seen.lifeOf('a'), undefined, 'nothing is remembered of it');
  t.is(seen.note(id(7, 'a', 9), 0), 'new');
  t.is(seen.lifeOf('a'), 9);
  t.is(seen.note(id(0, 'a', 5), 1), 'old');
  seen.begin(id(0, 'a', 5));
  t.is(seen.note(id(0, 'a', 5), 2), 'new');
  t.is(seen.note(id(0, 'a', 5), 3), 'seen');
  for (const life of [4, 9]) t.is(seen.note(id(8, 'a', life), 4), 'old');
  seen.begin(id(8, 'a', 9));
  t.is(seen.lifeOf('a'), 5, 'an ended life does not begin again');
  t.is(seen.note(id(0, 'a', 10), 5), 'new');
  t.is(seen.note(id(1, 'a', 5), 6), 'old');
});

test('a life above the limit ends no life below it, and any of those ends it; the limit moves', (t) => {
  let latest = 100;
  const seen = new SeenMessages({ ...options, latest: () => latest });
  /** Notes a message of each life, numbered from 0. Returns the verdicts. */
  const note = (origin: string, ...lives: number[]) =>
    lives.map((life, sequence) => seen.note(id(sequence, origin, life), 0));
  t.deepEqual(note('a', 50, 101, 100, 50), ['new', 'old', 'new', 'old']);
  // The clock of b is wrong, and no other node speaks in its name.
  t.deepEqual(note('b', 500, 400, 500, 7, 500), ['new', 'old', 'new', 'new', 'old']);
  latest = 1_000;
  t.is(seen.note(id(4, 'b', 500), 0), 'new');
});

test('one peer may introduce half of the origins, all peers three quarters; one that introduces too many is a flooder', (t) => {
  const seen = new SeenMessages({ ...options, flood: 120 });
  const bring = (from: string, count: number, now = 0) => {
    const verdicts: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const verdict = seen.note(id(0, `${from}${i}`), now, from);
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    }
    return verdicts;
  };
  t.deepEqual(bring('x', 119), { new: 50, full: 69 });
  t.deepEqual(bring('x', 119), { seen: 50, full: 69 }, 'repeated ones count once');
  t.deepEqual(bring('y', 100), { new: 25, full: 75 });
  t.deepEqual(bring('z', 5), { full: 5 });
  for (let i = 0; i < 25; i++)
    t.is(seen.note(id(0, `own${i}`), 0, `own${i}`), 'new', 'connected publishers');
  t.is(seen.note(id(0, 'x200'), 0, 'x'), 'flood');
  t.is(seen.note(id(0, 'x201'), 0, 'x'), 'full', 'counted anew');
  // Silent origins of peers that have reached the limit of origins are forgotten once they may be
  // replaced.
  seen.note(id(1, 'x0'), 50_000);
  seen.expire(91_000);
  t.is(seen.size.origins, 26);
  t.deepEqual(bring('z', 60, 91_000), { new: 50, full: 10 });
  t.is(seen.note(id(1, 'x0'), 91_000), 'seen');
  seen.expire(700_000);
  t.deepEqual(seen.size, { origins: 0, gaps: 0 });
  t.is(seen.due, Number.POSITIVE_INFINITY);
});

test('the gaps of all origins together are limited: beyond that, an origin opens only a few', (t) => {
  t.timeout(60_000);
  const seen = new SeenMessages({ ...options, origins: 10_000, gaps: 8_192 });
  for (let i = 0; i < 1_000; i++)
    for (let sequence = 1; sequence < 800; sequence += 2) seen.note(id(sequence, `o${i}`), 0);
  t.true(seen.size.gaps < 262_144 + 16 * 1_000, String(seen.size.gaps));
  t.is(seen.note(id(0, 'o0'), 1), 'new', 'open gaps stay open');
  for (let i = 0; i < 1_000; i++) seen.note(id(0, `o${i}`, 2), 2);
  t.is(seen.size.gaps, 0);
});

test('a life with the number of the previous one counts anew', (t) => {
  const seen = new SeenMessages(options);
  t.is(seen.note(id(0), 0), 'new');
  seen.begin(id(0));
  t.is(seen.note(id(0), 1), 'new');
  t.is(seen.note(id(0), 2), 'seen');
});

test('a million messages of one origin cost as much as one', (t) => {
  const seen = new SeenMessages(options);
  for (let sequence = 0; sequence < 1_000_000; sequence++)
    if (seen.note(id(sequence), sequence) !== 'new') return t.fail(`${sequence}`);
  t.is(seen.look(id(12_345), 1e6), 'seen');
  t.deepEqual(seen.size, { origins: 1, gaps: 0 });
});

test('without room for origins new ones are refused; current publishers continue, and nothing is new again', (t) => {
  const seen = new SeenMessages(options);
  for (let i = 0; i < 100; i++) t.is(seen.note(id(0, `o${i}`), 0), 'new');
  for (let i = 0; i < 10_000; i++) t.is(seen.note(id(0, `flood${i}`), 1_000), 'full');
  t.is(seen.size.origins, 100);
  for (let i = 0; i < 100; i++) {
    t.is(seen.note(id(0, `o${i}`), 2_000), 'seen');
    if (i < 99) t.is(seen.note(id(1, `o${i}`), 2_000), 'new');
  }
  // Only o99 has been silent long enough to make room, and only for one other origin.
  t.is(seen.note(id(0, 'late'), 91_500), 'new');
  t.is(seen.note(id(0, 'later'), 91_500), 'full');
  t.is(seen.note(id(0, 'o5'), 91_500), 'seen');
});

test('a million ids of a hundred thousand origins stay within the limits; none is new again while its message may be in transit', (t) => {
  t.timeout(60_000);
  const bounds = { ...options, origins: 1_000 };
  const seen = new SeenMessages(bounds);
  const random = seededRandom(1);
  /** For each message, the time at which it was last new. */
  const taken = new Map<string, number>();
  const counts = { new: 0, full: 0 };
  // Ten minutes; each id arrives again and again, as it would from several neighbors and from their
  // caches.
  for (let i = 0; i < 1_000_000; i++) {
    const now = i * 0.6;
    const fresh = random() < 0.5;
    const place = fresh ? i : Math.floor(i * random());
    const one = id(place % 10, `o${Math.floor(place / 10)}`);
    const key = messageKey(one);
    const verdict = seen.note(one, now);
    if (verdict === 'full') counts.full++;
    if (verdict !== 'new') continue;
    counts.new++;
    const since = now - (taken.get(key) ?? Number.NEGATIVE_INFINITY);
    if (since < bounds.retention) return t.fail(`${key} was new twice in ${since} ms`);
    taken.set(key, now);
    if (i % 1_000 === 0) seen.expire(now);
    if (seen.size.origins > bounds.origins) return t.fail(JSON.stringify(seen.size));
  }
  t.true(counts.new > 1_000 && counts.full > 100_000, JSON.stringify(counts));
  seen.expire(600_000 + 600_001);
  t.deepEqual(seen.size, { origins: 0, gaps: 0 });
  t.is(seen.due, Number.POSITIVE_INFINITY);
});

test('nodes without room for their origins do not pass a message around in circles', (t) => {
  // A ring of nodes that pass on messages that are new to them. Each has room for one origin, but
  // there are two streams; an origin that was replaced is not remembered at all.
  const ring = Array.from({ length: 5 }, () => new SeenMessages({ ...options, origins: 1 }));
  let now = 0;
  let steps = 0;
  let onTheWay: { at: number; sequence: number; origin: string }[] = [];
  for (let round = 0; round < 400; round++) {
    for (const origin of ['a', 'b']) onTheWay.push({ at: 0, sequence: round, origin });
    for (let hop = 0; hop < 5; hop++) {
      now += 100;
      steps += onTheWay.length;
      onTheWay = onTheWay
        .filter(({ at, sequence, origin }) => ring[at]!.note(id(sequence, origin), now) === 'new')
        .map((one) => ({ ...one, at: (one.at + 1) % ring.length }));
    }
  }
  t.true(steps <= 400 * 2 * 6, `${steps}`);
  t.true(onTheWay.length <= 2);
});

test('an origin that is silent for long is forgotten; looking up its messages does not remember it', (t) => {
  const seen = new SeenMessages(options);
  seen.note(id(4), 0);
  seen.note(id(0, 'b'), 300_000);
  t.is(seen.due, 90_000);
  seen.expire(90_000);
  const verdicts = [3, 4, 5].map((sequence) => seen.look(id(sequence), 90_000));
  t.deepEqual(verdicts, ['old', 'seen', 'new']);
  seen.expire(600_000);
  t.is(seen.size.origins, 1);
  t.is(seen.due, 900_000);
  t.is(seen.look(id(4), 600_000), 'new');
  t.is(seen.size.origins, 1);
});

const shares = { origins: 100, flood: 200, retention: 1_000 };

test('a flooder is reported once; its origins count for one period', (t) => {
  const introducers = new Introducers(shares);
  const refuse = (from: number, to: number, now: number) => {
    let floods = 0;
    for (let i = from; i < to; i++) if (introducers.refused('a', `o${i}`, now)) floods++;
    return floods;
  };
  t.is(refuse(0, 199, 0), 0);
  t.is(refuse(0, 199, 1), 0, 'the same ones');
  t.is(refuse(199, 200, 999), 1);
  t.is(refuse(300, 499, 1_000), 0);
  t.is(refuse(500, 600, 2_000), 0, 'another period');
  introducers.expire(2_999);
  t.is(introducers.size, 1);
  t.is(introducers.due, 3_000);
  introducers.expire(3_000);
  t.is(introducers.size, 0);
  t.is(introducers.due, Number.POSITIVE_INFINITY);
});

test('refused origins are counted for sixteen peers, and nothing is remembered of others', (t) => {
  const introducers = new Introducers(shares);
  for (let i = 0; i < 1_000; i++) introducers.refused(`p${i}`, 'x', 0);
  t.is(introducers.size, 16);
  for (let i = 0; i < 100; i++)
    for (let origin = 0; origin < 200; origin++)
      introducers.refused(`q${i}`, `o${origin}`, 10_000 * i);
  introducers.took('a', 2_000_000);
  introducers.expire(2_000_000);
  t.is(introducers.size, 1);
  introducers.forgot('a');
  t.is(introducers.size, 0);
});

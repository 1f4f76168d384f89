// Tests of the trust metric against hand-computed values and a direct implementation of its
// definition, and of reading saved metrics.

import { seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { readTrustDocument, slotsOf, TrustMetric } from './trust-book.ts';

const MINUTE = 60_000;
const near = (t: ExecutionContext, got: number, expected: number, within = 1e-9) =>
  t.true(Math.abs(got - expected) <= within, `${got}, not ${expected}`);

test('an unknown peer is trusted, and a peer that behaves well stays trusted', (t) => {
  const metric = new TrustMetric(0);
  t.deepEqual([metric.value(0), metric.score(0)], [1, 100]);
  for (let minute = 0; minute < 5_000; minute++) metric.good(minute * MINUTE, 3);
  t.deepEqual([metric.value(5_000 * MINUTE), metric.score(5_000 * MINUTE)], [1, 100]);
});

test('in the first interval the value is 0.4 · P + 0.6, less the fall from 1 to P', (t) => {
  for (const [good, bad, value, score] of [
    [1, 1, 0.3, 30],
    [3, 1, 0.65, 65],
    [1, 10, 0, 0],
    [0, 1, 0, 0],
    [5, 2, 0.4 * (5 / 7) + 0.6 - 2 / 7, 60],
  ] as const) {
    const metric = new TrustMetric(0);
    metric.good(0, good);
    metric.bad(1, bad);
    near(t, metric.value(2), value);
    t.is(metric.score(2), score);
  }
});

test('after a bad minute trust recovers as calculated by hand', (t) => {
  const metric = new TrustMetric(0);
  metric.good(0);
  metric.bad(0);
  near(t, metric.value(MINUTE - 1), 0.3);
  // H = 0.3; 0.4 + 0.6 · 0.3
  near(t, metric.value(MINUTE), 0.58);
  // H = (0.2 · 0.58 + 0.16 · 0.3) / 0.36
  near(t, metric.value(2 * MINUTE), 0.4 + 0.6 * (0.164 / 0.36));
  // The second slot now stands for two intervals: (0.3 + 0.58) / 2 = 0.44; H = (0.2 · 0.6733 +
  // 0.288 · 0.44) / 0.488
  near(t, metric.value(3 * MINUTE), 0.721_377, 1e-6);
  // A third slot begins with 0.44, the second is (0.44 + 0.6733) / 2; H = (0.2 · 0.7214 + 0.288 ·
  // 0.5567 + 0.1024 · 0.44) / 0.5904
  near(t, metric.value(4 * MINUTE), 0.755_337, 1e-6);
});

test('a fall is punished, a rise is not rewarded', (t) => {
  const metric = new TrustMetric(0);
  metric.bad(0);
  // H = 0 and P = 1, so D = 0.
  near(t, metric.value(MINUTE), 0.4);
  metric.good(MINUTE, 1);
  metric.bad(MINUTE, 3);
  // P = 0.25 is above H = 0, so D is 0 again.
  near(t, metric.value(MINUTE), 0.1);
});

test('an occasional good minute does not make up for bad ones', (t) => {
  const metric = new TrustMetric(0);
  for (let minute = 0; minute < 60; minute++) {
    if (minute % 2 === 0) metric.bad(minute * MINUTE, 5);
    else metric.good(minute * MINUTE, 50);
  }
  t.true(metric.score(60 * MINUTE) < 60, String(metric.score(60 * MINUTE)));
});

/**
 * A direct implementation of the definition: one interval at a time, with a separate weight for
 * each.
 */
class Slow {
  readonly slots: number[] = [];
  intervals = 0;
  good = 0;
  bad = 0;

  value(): number {
    const present = this.good + this.bad > 0 ? this.good / (this.good + this.bad) : 1;
    let sum = 0;
    let weights = 0;
    for (let i = 0; i < this.intervals; i++) {
      sum += 0.8 ** i * this.slots[Math.floor(Math.log2(i + 1))]!;
      weights += 0.8 ** i;
    }
    const past = weights > 0 ? sum / weights : 1;
    const rise = present - past;
    return Math.min(1, Math.max(0, 0.4 * present + 0.6 * past + (rise >= 0 ? 0 : 1) * rise));
  }

  end(): void {
    const value = this.value();
    const before = [...this.slots];
    this.intervals = Math.min(20_160, this.intervals + 1);
    if (before.length < Math.floor(Math.log2(this.intervals)) + 1)
      this.slots.push(before.at(-1) ?? value);
    for (let slot = 1; slot < before.length; slot++)
      this.slots[slot] = ((2 ** slot - 1) * before[slot]! + before[slot - 1]!) / 2 ** slot;
    this.slots[0] = value;
    this.good = this.bad = 0;
  }
}

test('the metric agrees with its definition, interval by interval', (t) => {
  const random = seededRandom(1);
  const metric = new TrustMetric(0);
  const slow = new Slow();
  for (let minute = 0; minute < 700; minute++) {
    const [good, bad] = [Math.floor(random() * 4), random() < 0.3 ? Math.floor(random() * 6) : 0];
    if (random() < 0.7) {
      metric.good(minute * MINUTE + 1, good);
      metric.bad(minute * MINUTE + 2, bad);
      slow.good += good;
      slow.bad += bad;
    }
    near(t, metric.value(minute * MINUTE + 3), slow.value());
    slow.end();
  }
  near(t, metric.value(700 * MINUTE), slow.value());
});

test('the value is always from 0 to 1, the score an integer from 0 to 100, and more bad events never raise them', (t) => {
  const random = seededRandom(2);
  for (let run = 0; run < 50; run++) {
    let now = random() * 1e6;
    const metric = new TrustMetric(now);
    for (let step = 0; step < 200; step++) {
      now += random() < 0.1 ? random() * 1e7 : random() * 50_000;
      const draw = random();
      if (draw < 0.5) metric.good(now, Math.floor(random() * 100));
      else if (draw < 0.6) metric.pause(now);
      else if (draw < 0.7) metric.resume(now);
      else {
        const before = metric.value(now);
        metric.bad(now, Math.floor(random() * 100));
        if (metric.value(now) > before) t.fail(`${before} rose to ${metric.value(now)}`);
      }
      const [value, score] = [metric.value(now), metric.score(now)];
      if (!(value >= 0 && value <= 1 && Number.isInteger(score) && score >= 0 && score <= 100))
        t.fail(`${value} ${score}`);
    }
  }
  t.pass();
});

test('after more bad events a peer is never trusted more later, if no further events follow', (t) => {
  const random = seededRandom(3);
  for (let run = 0; run < 30; run++) {
    const [worse, better] = [new TrustMetric(0), new TrustMetric(0)];
    const good = Math.floor(random() * 20);
    const bad = Math.floor(random() * 20);
    for (const metric of [worse, better]) metric.good(0, good);
    better.bad(0, bad);
    worse.bad(0, bad + 1);
    for (let minute = 0; minute < 100; minute++)
      t.true(worse.value(minute * MINUTE) <= better.value(minute * MINUTE) + 1e-12);
  }
});

test('the number of reads does not matter', (t) => {
  const random = seededRandom(4);
  const [watched, alone] = [new TrustMetric(0), new TrustMetric(0)];
  let now = 0;
  for (let step = 0; step < 100; step++) {
    for (const metric of [watched, alone]) metric.bad(now, 1);
    for (const metric of [watched, alone]) metric.good(now + 5, 4);
    const next = now + 5 + random() * 40 * MINUTE;
    for (let look = now + 5; look < next; look += 7_000) watched.score(look);
    now = next;
  }
  // Their saved documents agree as well.
  const { elapsed, ...rest } = watched.save(now);
  const { elapsed: other, ...same } = alone.save(now);
  t.deepEqual(rest, same);
  near(t, elapsed, other, 1e-3);
});

test('a sleep of years costs no more than one of days, and ends as if each minute had passed', (t) => {
  const scarred = () => {
    const metric = new TrustMetric(0);
    for (let minute = 0; minute < 500; minute++) metric.bad(minute * MINUTE);
    return metric;
  };
  const [slept, lived] = [scarred(), scarred()];
  for (const days of [0.5, 1, 1.4, 1.43, 2, 10]) {
    const now = days * 24 * 60 * MINUTE;
    for (let minute = 500; minute * MINUTE < now; minute += 20) lived.value(minute * MINUTE);
    near(t, scarred().value(now), lived.value(now), 1e-12);
  }
  const years = 1e6 * 365 * 24 * 60 * MINUTE;
  t.is(slept.value(years), 1);
  const { intervals, history } = slept.save(years);
  t.deepEqual([intervals, history.length], [20_160, 15]);
  slept.bad(years);
  t.is(slept.score(years), 0);
});

test('while it is paused nothing changes, until an event or its end', (t) => {
  const metric = new TrustMetric(0);
  metric.bad(0);
  metric.pause(3 * MINUTE);
  t.true(metric.paused);
  const value = metric.value(3 * MINUTE);
  t.is(metric.value(1_000 * MINUTE), value);
  metric.resume(1_000 * MINUTE);
  t.false(metric.paused);
  t.is(metric.value(1_000 * MINUTE), value);
  t.true(metric.value(1_001 * MINUTE) > value);
  for (const event of ['good', 'bad'] as const) {
    metric.pause(1_001 * MINUTE);
    metric[event](1_002 * MINUTE);
    t.false(metric.paused, event);
  }
});

test('a pause in the middle of a minute does not erase its bad events', (t) => {
  const metric = new TrustMetric(0);
  metric.bad(0);
  metric.pause(20_000);
  metric.resume(1e9);
  t.is(metric.value(1e9), 0);
  t.is(metric.value(1e9 + 39_999), 0);
  t.true(metric.value(1e9 + 40_000) > 0);
});

test('pausing and resuming twice has the effect of once', (t) => {
  const metric = new TrustMetric(0);
  metric.bad(0);
  metric.pause(10_000);
  metric.pause(50_000);
  metric.resume(100_000);
  metric.resume(120_000);
  t.is(metric.save(120_000).elapsed, 30_000);
});

test('a clock that jumps back does no harm', (t) => {
  const metric = new TrustMetric(1_000);
  metric.bad(500);
  t.is(metric.value(0), 0);
  metric.pause(0);
  t.is(metric.save(0).elapsed, 0);
});

test('a saved metric continues from its state, and stays paused until an event', (t) => {
  const random = seededRandom(5);
  for (let run = 0; run < 50; run++) {
    const metric = new TrustMetric(0);
    let now = 0;
    for (let step = 0; step < 30; step++) {
      now += random() * 5 * MINUTE;
      metric[random() < 0.3 ? 'bad' : 'good'](now, 1 + Math.floor(random() * 5));
    }
    const saved = metric.save(now);
    const restored = new TrustMetric(7, JSON.parse(JSON.stringify(saved)));
    t.true(restored.paused);
    t.is(restored.value(7), metric.value(now));
    t.deepEqual(restored.save(1e9), saved);
    // From here on, both metrics get the same events.
    restored.bad(1e9);
    metric.bad(now);
    t.is(restored.value(1e9), metric.value(now));
    near(t, restored.value(1e9 + 10 * MINUTE + 1), metric.value(now + 10 * MINUTE + 1));
  }
});

test('later events do not change a saved document', (t) => {
  const metric = new TrustMetric(0);
  metric.bad(0);
  const saved = metric.save(MINUTE);
  const copy = structuredClone(saved);
  metric.bad(2 * MINUTE, 9);
  metric.value(9 * MINUTE);
  t.deepEqual(saved, copy);
});

test('infinite counts leave the values finite', (t) => {
  const metric = new TrustMetric(0);
  metric.good(0, Number.POSITIVE_INFINITY);
  metric.bad(0, Number.POSITIVE_INFINITY);
  near(t, metric.value(0), 0.3);
});

const good = { intervals: 5, history: [1, 0.5, 0], good: 3, bad: 0, elapsed: 59_999.5 };

test('a document is read as it was written, without unknown members', (t) => {
  t.deepEqual(readTrustDocument(good), good);
  t.deepEqual(readTrustDocument({ ...good, later: 1 }), good);
  const empty = { ...good, intervals: 0, history: [] };
  t.deepEqual(readTrustDocument(empty), empty);
});

test('a history has a slot for one interval, one for the two before it, one for the four before those, and so on', (t) => {
  t.deepEqual([0, 1, 2, 3, 4, 7, 8, 20_160].map(slotsOf), [0, 1, 2, 2, 3, 3, 4, 15]);
});

test('anything else is not a document', (t) => {
  for (const value of [undefined, null, 1, '', [], {}, [good], JSON.stringify(good)])
    t.is(readTrustDocument(value), undefined);
  const numbers = [undefined, null, '1', -1, Number.NaN];
  const wrong: Record<string, unknown[]> = {
    intervals: [undefined, null, '5', -1, 1.5, Number.NaN, 4_294_967_301, 20_161, 8, 3],
    history: [
      ...[undefined, null, {}, 'abc', { length: 3 }, new Array(3), [1, 1], [1, 1, 1, 1]],
      ...[1.1, -0.1, Number.NaN, null, '1'].map((last) => [1, 1, last]),
    ],
    good: [...numbers, Number.POSITIVE_INFINITY, 1e300],
    bad: [...numbers, Number.POSITIVE_INFINITY, 1e300],
    elapsed: [...numbers, 60_001, Number.POSITIVE_INFINITY],
  };
  for (const [name, values] of Object.entries(wrong))
    for (const value of values)
      t.is(readTrustDocument({ ...good, [name]: value }), undefined, `${name}: ${String(value)}`);
});

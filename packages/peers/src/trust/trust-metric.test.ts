// Tests of the trust metric against a direct implementation of its definition, and of reading saved
// metrics.

import { seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { readTrustDocument, slotsOf, TrustMetric } from './trust-book.ts';

const MINUTE = 60_000;
const near = (t: ExecutionContext, got: number, expected: number, within = 1e-9) =>
  t.true(Math.abs(got - expected) <= within, `${got}, not ${expected}`);

test('an unknown peer is trusted, and a peer that behaves well stays trusted', (t) => {
  const metric = new TrustMetric();
  t.deepEqual([metric.value(), metric.score()], [1, 100]);
  for (let minute = 0; minute < 5_000; minute++) {
    metric.good(3);
    metric.pass(MINUTE);
  }
  t.deepEqual([metric.value(), metric.score()], [1, 100]);
});

test('in the first interval the value is 0.4 · P + 0.6, less the fall from 1 to P', (t) => {
  for (const [good, bad, value, score] of [
    [1, 1, 0.3, 30],
    [3, 1, 0.65, 65],
    [1, 10, 0, 0],
    [0, 1, 0, 0],
    [5, 2, 0.4 * (5 / 7) + 0.6 - 2 / 7, 60],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0.3, 30],
  ] as const) {
    const metric = new TrustMetric();
    metric.good(good);
    metric.bad(bad);
    near(t, metric.value(), value);
    t.is(metric.score(), score);
  }
});

test('a fall is punished, a rise is not rewarded', (t) => {
  const metric = new TrustMetric();
  metric.bad();
  metric.pass(MINUTE);
  // H = 0 and P = 1, so D = 0.
  near(t, metric.value(), 0.4);
  metric.good(1);
  metric.bad(3);
  // P = 0.25 is above H = 0, so D is 0 again.
  near(t, metric.value(), 0.1);
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
  const metric = new TrustMetric();
  const slow = new Slow();
  for (let minute = 0; minute < 700; minute++) {
    const [good, bad] = [Math.floor(random() * 4), random() < 0.3 ? Math.floor(random() * 6) : 0];
    if (random() < 0.7) {
      metric.good(good);
      metric.bad(bad);
      slow.good += good;
      slow.bad += bad;
    }
    near(t, metric.value(), slow.value());
    metric.pass(MINUTE);
    slow.end();
  }
  near(t, metric.value(), slow.value());
});

test('the value is from 0 to 1, the score an integer from 0 to 100, and more bad events never raise them', (t) => {
  const random = seededRandom(2);
  for (let run = 0; run < 50; run++) {
    const metric = new TrustMetric();
    for (let step = 0; step < 200; step++) {
      metric.pass(random() < 0.1 ? random() * 1e7 : random() * 50_000);
      if (random() < 0.6) metric.good(Math.floor(random() * 100));
      const before = metric.value();
      metric.bad(Math.floor(random() * 100));
      const [value, score] = [metric.value(), metric.score()];
      if (value > before) t.fail(`${before} rose to ${value}`);
      if (!(value >= 0 && value <= 1 && Number.isInteger(score) && score >= 0 && score <= 100))
        t.fail(`${value} ${score}`);
    }
  }
  t.pass();
});

test('after more bad events a peer is never trusted more later, if no further events follow', (t) => {
  for (const [good, bad] of [
    [0, 0],
    [5, 1],
    [3, 9],
  ] as const) {
    const [worse, better] = [new TrustMetric(), new TrustMetric()];
    for (const metric of [worse, better]) metric.good(good);
    better.bad(bad);
    worse.bad(bad + 1);
    for (let minute = 0; minute < 100; minute++) {
      t.true(worse.value() <= better.value() + 1e-12);
      for (const metric of [worse, better]) metric.pass(MINUTE);
    }
  }
});

test('14 days without an event end every record, whose history then has 15 numbers', (t) => {
  const metric = new TrustMetric();
  for (let minute = 0; minute < 500; minute++) {
    metric.bad();
    metric.pass(MINUTE);
  }
  metric.pass(15 * 24 * 60 * MINUTE);
  const { intervals, history } = metric.save();
  t.deepEqual([metric.score(), intervals, history.length], [100, 20_160, 15]);
  metric.bad();
  t.is(metric.score(), 0);
});

test('a saved metric continues from its state, and later events do not change what was saved', (t) => {
  const random = seededRandom(5);
  for (let run = 0; run < 50; run++) {
    const metric = new TrustMetric();
    for (let step = 0; step < 30; step++) {
      metric.pass(random() * 5 * MINUTE);
      metric[random() < 0.3 ? 'bad' : 'good'](1 + Math.floor(random() * 5));
    }
    const saved = metric.save();
    const copy = structuredClone(saved);
    const restored = new TrustMetric(copy);
    t.deepEqual(restored.save(), saved);
    // From here on, both metrics get the same events.
    for (const one of [metric, restored]) {
      one.bad();
      one.pass(10 * MINUTE + 1);
    }
    t.is(restored.value(), metric.value());
    t.deepEqual(saved, copy);
  }
});

const good = { intervals: 5, history: [1, 0.5, 0], good: 3, bad: 0, elapsed: 59_999.5 };

test('a history has a slot for one interval, one for the two before it, one for the four before those, and so on', (t) => {
  t.deepEqual([0, 1, 2, 3, 4, 7, 8, 20_160].map(slotsOf), [0, 1, 2, 2, 3, 3, 4, 15]);
});

test('a document is read as it was written, without unknown members, and anything else is none', (t) => {
  t.deepEqual(readTrustDocument(good), good);
  t.deepEqual(readTrustDocument({ ...good, later: 1 }), good);
  const empty = { ...good, intervals: 0, history: [] };
  t.deepEqual(readTrustDocument(empty), empty);

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

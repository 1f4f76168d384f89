// Tests of outlier ejection, by the rules of gRFC A50.

import test from 'ava';
import { AddressState } from './address-state.ts';
import { type OutlierSettings, Outliers } from './outliers.ts';

const DEFAULTS: OutlierSettings = {
  interval: 10_000,
  baseEjection: 30_000,
  maxEjection: 300_000,
  maxEjectionPercent: 10,
  successRateFactor: 1.9,
  failurePercent: 85,
  minAddresses: 5,
  minCalls: 100,
};

function setUp(count: number, given: Partial<OutlierSettings> = {}) {
  const addresses = Array.from(
    { length: count },
    (_, n) =>
      new AddressState(
        { address: `a${n}` },
        { random: () => 0.5, slowStart: 0, healthCheck: false, changed: () => {} },
      ),
  );
  const events: string[] = [];
  const outliers = new Outliers({ ...DEFAULTS, ...given }, 0, ({ address }, isEjected) =>
    events.push(`${address} ${isEjected ? 'ejected' : 'returned'}`),
  );
  outliers.update(addresses);
  /** Ends an interval in which each address had 100 calls, and `failures` of them failed. */
  const interval = (now: number, failures: readonly number[]) => {
    for (const [i, address] of addresses.entries())
      for (let n = 0; n < 100; n++) outliers.record(address, n < (failures[i] ?? 0));
    outliers.examine(now);
  };
  return { addresses, events, outliers, interval };
}

test('an address that fails much more often than the others is ejected', (t) => {
  const { interval, events, addresses } = setUp(6);
  interval(9_999, [50]);
  t.deepEqual(events, [], 'no interval has passed');
  interval(10_000, []);
  t.deepEqual(events, ['a0 ejected']);
  t.false(addresses[0]!.takesCalls(10_000));
});

test('equal failures eject nothing by the success rate', (t) => {
  const { interval, events } = setUp(6);
  interval(10_000, [40, 41, 42, 40, 41, 42]);
  t.deepEqual(events, []);
});

test('an ejection lasts longer each time in a row', (t) => {
  const { interval, events } = setUp(6);
  const bad = [100];
  interval(10_000, bad);
  interval(39_999, []);
  t.deepEqual(events, ['a0 ejected']);
  interval(50_000, []);
  t.deepEqual(events, ['a0 ejected', 'a0 returned']);
  interval(60_000, bad);
  interval(90_000, []);
  interval(119_000, []);
  t.is(events.length, 3, 'the second one takes a minute');
  interval(130_000, []);
  t.is(events.at(-1), 'a0 returned');
});

test('the share of ejected addresses is bounded, but one may always be ejected', (t) => {
  const { interval, events } = setUp(5);
  interval(10_000, [100, 100]);
  t.is(events.length, 1);
  const half = setUp(10, { maxEjectionPercent: 50, successRateFactor: 0 });
  half.interval(10_000, [100, 100, 100, 100, 100, 100, 100, 100, 100, 100]);
  t.is(half.events.length, 5);
  const all = setUp(5, { maxEjectionPercent: 100 });
  all.interval(10_000, [100, 100, 100, 100, 100]);
  t.is(all.events.length, 4, 'the last one stays');
});

test('few addresses or few calls eject nothing', (t) => {
  const few = setUp(4);
  few.interval(10_000, [100]);
  t.deepEqual(few.events, []);
  const { outliers, addresses, events } = setUp(6);
  for (const address of addresses) for (let n = 0; n < 99; n++) outliers.record(address, true);
  outliers.examine(10_000);
  t.deepEqual(events, []);
});

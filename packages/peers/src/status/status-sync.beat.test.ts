// Tests of the times at which a node announces the number of its status.

import test from 'ava';
import { create, type TestSync, withPeer } from './testing/test-sync.ts';

const bytes = (...values: number[]) => new Uint8Array(values);

test('there is no beat without a status or without peers', (t) => {
  const sync = create();
  t.is(sync.wakeAt, Number.POSITIVE_INFINITY);
  t.is(sync.beat(1e6), undefined);
  sync.connected('a', 'i1', 1e6);
  t.is(sync.wakeAt, Number.POSITIVE_INFINITY);
  sync.set(bytes(1), 1e6);
  t.true(sync.wakeAt < 2e6);
  sync.gone('a');
  t.is(sync.wakeAt, Number.POSITIVE_INFINITY);
  t.is(sync.beat(2e6), undefined);
});

test('the number is sent every 2 s ± 20 %, drawn again each time', (t) => {
  const sync = withPeer();
  sync.set(bytes(1), 0);
  t.deepEqual(sync.beat(sync.wakeAt), { seq: 1 });
  const gaps: number[] = [];
  for (let i = 0; i < 500; i++) {
    const { wakeAt: due } = sync;
    t.is(sync.beat(due - 0.01), undefined);
    t.deepEqual(sync.beat(due), { seq: 1 });
    gaps.push(sync.wakeAt - due);
  }
  t.true(Math.min(...gaps) >= 1_600 && Math.min(...gaps) < 1_650, String(Math.min(...gaps)));
  t.true(Math.max(...gaps) <= 2_400 && Math.max(...gaps) > 2_350, String(Math.max(...gaps)));
  t.true(new Set(gaps).size > 490);
});

test('a change is announced soon, and many changes together are announced once', (t) => {
  const sync = withPeer();
  sync.set(bytes(1), 100);
  t.true(sync.wakeAt >= 150 && sync.wakeAt <= 200, String(sync.wakeAt));
  sync.beat(sync.wakeAt);
  let beats = 0;
  for (let now = 1_000; now < 2_000; now++) {
    sync.set(bytes(now & 255, now >> 8), now);
    if (sync.beat(now) !== undefined) beats++;
  }
  t.true(beats >= 9 && beats <= 20, String(beats));
});

test('a cleared status is announced, too', (t) => {
  const sync = withPeer();
  sync.set(bytes(1), 0);
  sync.beat(sync.wakeAt);
  sync.set(undefined, 1_000);
  t.deepEqual(sync.beat(sync.wakeAt), { seq: 2 });
});

test('beats missed during sleep are not made up for', (t) => {
  const sync = withPeer();
  sync.set(bytes(1), 0);
  t.deepEqual(sync.beat(1e9), { seq: 1 });
  t.is(sync.beat(1e9), undefined);
  t.true(sync.wakeAt >= 1e9 + 1_600);
});

/**
 * Returns, for each of ten rounds, the maximum number of machines, out of 100, that broadcast in
 * the same millisecond.
 */
function crowds(start: (sync: TestSync) => void): number[] {
  const machines = Array.from({ length: 100 }, (_, seed) => create(seed));
  for (const machine of machines) start(machine);
  return Array.from({ length: 10 }, () => {
    const crowd = new Map<number, number>();
    for (const machine of machines) {
      const millisecond = Math.floor(machine.wakeAt);
      crowd.set(millisecond, (crowd.get(millisecond) ?? 0) + 1);
      machine.beat(machine.wakeAt);
    }
    return Math.max(...crowd.values());
  });
}

test('nodes that start together do not beat together', (t) => {
  const rounds = crowds((sync) => {
    sync.set(bytes(1), 0);
    sync.connected('a', 'i1', 0);
  });
  t.true(Math.max(...rounds) <= 5, String(rounds));
});

test('nodes whose status changes at the same time do not beat together either', (t) => {
  const [first, ...later] = crowds((sync) => {
    sync.connected('a', 'i1', 0);
    sync.set(bytes(1), 5_000);
  });
  // The first round has 100 broadcasts within 50 ms; later ones spread over the interval.
  t.true(first! <= 10, String(first));
  t.true(Math.max(...later) <= 5, String(later));
});

test('an overdue beat is not made up for after a time without peers', (t) => {
  const sync = create();
  sync.set(bytes(1), 0);
  sync.connected('a', 'i1', 1e6);
  t.is(sync.beat(1e6), undefined);
  t.true(sync.wakeAt >= 1e6 + 1_600 && sync.wakeAt <= 1e6 + 2_400, String(sync.wakeAt));
});

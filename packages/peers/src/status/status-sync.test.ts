// Tests of status sync: numbers and pulls, the times at which a node announces its number, and the
// limit on the pulls of a peer's status.

import { Buffer } from 'node:buffer';
import { TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { LAST_SEQ, PullRation, StatusSync } from './status-sync.ts';

const bytes = (...values: number[]) => new Uint8Array(values);

const create = (seed = 1) => new StatusSync({ random: seededRandom(seed), now: 0 });

/** Answers a pull. Returns 'changed' if the status has, and 'pull' if it should be pulled again. */
function pulled(
  sync: StatusSync,
  nodeId: string,
  instance: string,
  seq: number,
  value: Uint8Array | undefined,
  now: number,
): string {
  const { changed, again } = sync.pulled(nodeId, instance, { seq, value }, now);
  return [changed ? 'changed' : [], again ? 'pull' : []].flat().join(' and ');
}

/** Hears the number of a new status of 'a', and answers the pull. */
function told(sync: StatusSync, seq: number, value: Uint8Array | undefined): void {
  sync.heard('a', 'i1', seq, 0);
  pulled(sync, 'a', 'i1', seq, value, 0);
}

/** A StatusSync with one connected peer, 'a', of instance 'i1'. */
function withPeer() {
  const sync = create();
  sync.connected('a', 'i1', 0);
  return sync;
}

test('each status has the next number; equal bytes are not a new status', (t) => {
  const sync = create();
  t.deepEqual([sync.seq, sync.own], [0, undefined]);
  sync.set(undefined, 0);
  t.is(sync.seq, 0);
  const given = [[1], [1], [2], [2, 0], [], [], undefined, undefined, []];
  const seqs = given.map((value) => {
    sync.set(value && bytes(...value), 0);
    return sync.seq;
  });
  t.deepEqual(seqs, [1, 1, 2, 3, 4, 4, 5, 5, 6]);
  t.deepEqual(sync.own, bytes());
});

test('a status is copied when it is set and when it is pulled', (t) => {
  const sync = withPeer();
  for (const own of [bytes(1, 2), Buffer.from([1, 2])]) {
    sync.set(undefined, 0);
    sync.set(own, 0);
    own[0] = 9;
    t.deepEqual(sync.own, bytes(1, 2));
  }
  const theirs = bytes(3, 4);
  sync.heard('a', 'i1', 1, 0);
  pulled(sync, 'a', 'i1', 1, theirs, 1);
  theirs[0] = 9;
  t.deepEqual(sync.of('a'), bytes(3, 4));
});

test('numbers end at 2^32 − 1: one more change is refused, and the last status stays', (t) => {
  const sync = new StatusSync({ random: seededRandom(1), now: 0, seq: LAST_SEQ - 1 });
  sync.set(bytes(1), 0);
  t.is(sync.seq, 4_294_967_295);
  t.throws(() => sync.set(bytes(2), 0), { instanceOf: TransportError, code: 'resource_exhausted' });
  sync.set(bytes(1), 0);
  t.is(sync.seq, 4_294_967_295);
  t.deepEqual(sync.own, bytes(1));
});

test('a newer number is pulled once; equal and older ones are ignored', (t) => {
  const sync = withPeer();
  t.true(sync.heard('a', 'i1', 5, 0));
  t.false(sync.heard('a', 'i1', 5, 1));
  t.is(pulled(sync, 'a', 'i1', 5, bytes(5), 2), 'changed');
  t.deepEqual(sync.of('a'), bytes(5));
  t.false(sync.heard('a', 'i1', 5, 3));
  t.false(sync.heard('a', 'i1', 4, 4));
  t.true(sync.heard('a', 'i1', 6, 5));
  t.is(pulled(sync, 'a', 'i1', 6, bytes(5), 6), '', 'equal bytes are not a change');
  t.false(sync.heard('a', 'i1', 6, 7));
  t.true(sync.heard('a', 'i1', 7, 8));
  t.is(pulled(sync, 'a', 'i1', 4, bytes(4), 9), '', 'the answer is older than the known number');
  t.deepEqual(sync.of('a'), bytes(5));
  t.true(sync.heard('a', 'i1', 7, 10));
});

test('the status of a peer is dropped when the peer disconnects', (t) => {
  const sync = withPeer();
  told(sync, 1, bytes(1));
  t.deepEqual(sync.of('a'), bytes(1));
  for (let i = 0; i < 2; i++) sync.gone('a');
  t.is(sync.of('a'), undefined);
  // The same number counts as new in the next session.
  sync.connected('a', 'i1', 2);
  t.true(sync.heard('a', 'i1', 1, 3));
});

test('messages of nodes that are not connected are ignored and take no memory', (t) => {
  const sync = create();
  t.false(sync.heard('a', 'i1', 1, 0));
  t.is(pulled(sync, 'a', 'i1', 1, bytes(1), 0), '');
  sync.pullFailed('a', 'i1');
  t.is(sync.of('a'), undefined);
});

test('number 0 means "I have none": it is pulled if there was a status, and clears it', (t) => {
  const sync = withPeer();
  t.false(sync.heard('a', 'i1', 0, 0));
  told(sync, 4, bytes(4));
  t.true(sync.heard('a', 'i1', 0, 2));
  t.is(pulled(sync, 'a', 'i1', 0, undefined, 3), 'changed');
  t.is(sync.of('a'), undefined);
  t.false(sync.heard('a', 'i1', 0, 4));
  t.true(sync.heard('a', 'i1', 4, 5));
});

test('a restarted peer begins at 1: its old status is dropped at once, and its new one is pulled', (t) => {
  for (const value of [bytes(1), undefined]) {
    const seq = value === undefined ? 0 : 1;
    const sync = withPeer();
    told(sync, 50, bytes(50));
    t.true(sync.heard('a', 'i2', seq, 2));
    t.is(sync.of('a'), undefined);
    t.is(pulled(sync, 'a', 'i2', seq, value, 3), 'changed', 'also if it has none any more');
    t.deepEqual(sync.of('a'), value);
  }
});

test('late numbers, answers and failures of the previous instance are ignored', (t) => {
  const sync = withPeer();
  t.true(sync.heard('a', 'i1', 9, 0));
  t.true(sync.heard('a', 'i2', 2, 1));
  t.is(pulled(sync, 'a', 'i1', 9, bytes(9), 2), '');
  t.false(sync.heard('a', 'i1', 10, 2));
  sync.pullFailed('a', 'i1');
  t.false(sync.heard('a', 'i2', 2, 3));
  t.is(pulled(sync, 'a', 'i2', 2, bytes(2), 4), 'changed');
});

test('a message of a much older instance does not block those of the current one', (t) => {
  const sync = withPeer();
  sync.heard('a', 'i2', 1, 0);
  sync.heard('a', 'i3', 1, 1);
  pulled(sync, 'a', 'i3', 1, bytes(3), 2);
  t.true(sync.heard('a', 'i1', 7, 3));
  t.false(sync.heard('a', 'i3', 1, 4));
  t.true(sync.heard('a', 'i3', 1, 5_003));
  t.is(pulled(sync, 'a', 'i3', 1, bytes(3), 5_004), '');
  t.deepEqual(sync.of('a'), bytes(3));
});

test('a new connection reveals a restart without any message', (t) => {
  const sync = withPeer();
  told(sync, 9, bytes(9));
  sync.connected('a', 'i1', 1);
  t.deepEqual(sync.of('a'), bytes(9));
  sync.connected('a', 'i2', 2);
  t.is(sync.of('a'), undefined);
  t.false(sync.heard('a', 'i1', 10, 3));
  t.true(sync.heard('a', 'i2', 1, 3));
  // A change is measured against the status that was reported last.
  t.is(pulled(sync, 'a', 'i2', 1, bytes(9), 4), '');
});

test('a newer number that arrives during a pull is pulled next, unless the answer is that new', (t) => {
  const sync = withPeer();
  t.true(sync.heard('a', 'i1', 1, 0));
  t.false(sync.heard('a', 'i1', 3, 1));
  t.false(sync.heard('a', 'i1', 2, 1));
  t.is(pulled(sync, 'a', 'i1', 1, bytes(1), 2), 'changed and pull');
  t.false(sync.heard('a', 'i1', 3, 3));
  t.is(pulled(sync, 'a', 'i1', 3, bytes(3), 4), 'changed');

  t.true(sync.heard('a', 'i1', 4, 5));
  t.false(sync.heard('a', 'i1', 5, 6));
  t.is(pulled(sync, 'a', 'i1', 5, bytes(5), 7), 'changed');
});

test('a peer that announces more than it answers is pulled no more often than it announces', (t) => {
  const sync = withPeer();
  let pulls = 0;
  for (let now = 0; now < 10; now++) {
    if (!sync.heard('a', 'i1', 1_000_000, now)) continue;
    pulls++;
    while (pulled(sync, 'a', 'i1', 1, bytes(1), now).includes('pull'))
      if (++pulls > 100) return t.fail('no end');
  }
  t.is(pulls, 10);
});

test('a pull that fails, or is not answered for 5 s, is repeated when the number arrives again', (t) => {
  const sync = withPeer();
  for (let i = 0; i < 2; i++) {
    t.true(sync.heard('a', 'i1', 1, 0));
    if (i === 0) sync.pullFailed('a', 'i1');
  }
  t.false(sync.heard('a', 'i1', 1, 4_999));
  t.true(sync.heard('a', 'i1', 1, 5_000));
  t.is(pulled(sync, 'a', 'i1', 1, bytes(1), 5_001), 'changed');
  t.is(pulled(sync, 'a', 'i1', 1, bytes(1), 5_002), '');
});

test('there is no beat without a status or without peers', (t) => {
  const sync = create();
  t.is(sync.wakeAt, Number.POSITIVE_INFINITY);
  t.false(sync.beat(1e6));
  sync.connected('a', 'i1', 1e6);
  t.is(sync.wakeAt, Number.POSITIVE_INFINITY);
  sync.set(bytes(1), 1e6);
  t.true(sync.wakeAt < 2e6);
  sync.gone('a');
  t.is(sync.wakeAt, Number.POSITIVE_INFINITY);
  t.false(sync.beat(2e6));
});

test('the number is sent every 2 s ± 20 %, drawn again each time', (t) => {
  const sync = withPeer();
  sync.set(bytes(1), 0);
  t.true(sync.beat(sync.wakeAt));
  const gaps: number[] = [];
  for (let i = 0; i < 500; i++) {
    const { wakeAt: due } = sync;
    t.false(sync.beat(due - 0.01));
    t.true(sync.beat(due));
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
  sync.set(undefined, sync.wakeAt);
  t.true(sync.beat(sync.wakeAt), 'also that it was cleared');
  let beats = 0;
  for (let now = 1_000; now < 2_000; now++) {
    sync.set(bytes(now & 255, now >> 8), now);
    if (sync.beat(now)) beats++;
  }
  t.true(beats >= 9 && beats <= 20, String(beats));
});

test('beats missed during sleep, or without peers, are not made up for', (t) => {
  const sync = withPeer();
  sync.set(bytes(1), 0);
  t.true(sync.beat(1e9));
  t.false(sync.beat(1e9));
  t.true(sync.wakeAt >= 1e9 + 1_600);
  const alone = create();
  alone.set(bytes(1), 0);
  alone.connected('a', 'i1', 1e6);
  t.false(alone.beat(1e6));
  t.true(alone.wakeAt >= 1e6 + 1_600 && alone.wakeAt <= 1e6 + 2_400, String(alone.wakeAt));
});

/**
 * Returns, for each of ten rounds, the maximum number of machines, out of 100, that broadcast in
 * the same millisecond.
 */
function crowds(start: (sync: StatusSync) => void): number[] {
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

test('nodes that start together, or whose status changes at the same time, do not beat together', (t) => {
  const started = crowds((sync) => {
    sync.set(bytes(1), 0);
    sync.connected('a', 'i1', 0);
  });
  t.true(Math.max(...started) <= 5, String(started));
  const [first, ...later] = crowds((sync) => {
    sync.connected('a', 'i1', 0);
    sync.set(bytes(1), 5_000);
  });
  // The first round has 100 broadcasts within 50 ms; later ones spread over the interval.
  t.true(first! <= 10, String(first));
  t.true(Math.max(...later) <= 5, String(later));
});

test('a peer of which eight statuses could not be read is pulled once every ten seconds', (t) => {
  const ration = new PullRation();
  const times = [...Array(9).fill(0), 5_000, 10_000, 10_000, 15_000, 20_000];
  const pulls = times.filter((now) => {
    const mayPull = ration.take(now);
    if (mayPull) ration.spoiled(now);
    return mayPull;
  });
  t.deepEqual(pulls, [...Array(8).fill(0), 10_000, 20_000]);
});

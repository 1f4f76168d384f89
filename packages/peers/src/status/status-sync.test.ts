// Tests of status sync.

import { Buffer } from 'node:buffer';
import { TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { LAST_SEQ } from './status-sync.ts';
import { create, TestSync, withPeer } from './testing/test-sync.ts';

const bytes = (...values: number[]) => new Uint8Array(values);

test('each status has the next number; equal bytes are not a new status', (t) => {
  const sync = create();
  t.is(sync.seq, 0);
  t.is(sync.own, undefined);
  sync.set(undefined, 0);
  t.is(sync.seq, 0);
  const seqs = [
    bytes(1),
    bytes(1),
    bytes(2),
    bytes(2, 0),
    bytes(),
    bytes(),
    undefined,
    undefined,
    bytes(),
  ].map((value) => {
    sync.set(value, 0);
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
  sync.pulled('a', 'i1', 1, theirs, 1);
  theirs[0] = 9;
  t.deepEqual(sync.of('a')?.value, bytes(3, 4));
});

test('a peer that connects gets the number, if there is one', (t) => {
  const sync = create();
  t.is(sync.connected('a', 'i1', 0), undefined);
  sync.set(bytes(1), 0);
  t.deepEqual(sync.connected('b', 'i1', 1), { type: 'tell', nodeId: 'b', seq: 1 });
});

test('numbers end at 2^32 − 1: one more change is refused, and the last status stays', (t) => {
  const sync = new TestSync({ random: seededRandom(1), now: 0, seq: LAST_SEQ - 1 });
  sync.set(bytes(1), 0);
  t.is(sync.seq, 4_294_967_295);
  const error = t.throws<TransportError>(() => sync.set(bytes(2), 0), {
    instanceOf: TransportError,
  });
  t.is(error?.code, 'resource_exhausted');
  sync.set(bytes(1), 0);
  t.is(sync.seq, 4_294_967_295);
  t.deepEqual(sync.own, bytes(1));
});

test('a newer number is pulled once; equal and older ones are ignored', (t) => {
  const sync = withPeer();
  t.true(sync.heard('a', 'i1', 5, 0));
  t.false(sync.heard('a', 'i1', 5, 1));
  t.deepEqual(sync.pulled('a', 'i1', 5, bytes(5), 2), { changed: true, again: false });
  t.deepEqual(sync.of('a'), { seq: 5, value: bytes(5) });
  t.false(sync.heard('a', 'i1', 5, 3));
  t.false(sync.heard('a', 'i1', 4, 4));
  t.true(sync.heard('a', 'i1', 6, 5));
});

test('the status of a peer is dropped when the peer disconnects', (t) => {
  const sync = withPeer();
  sync.gone('a');
  sync.connected('a', 'i1', 0);
  sync.heard('a', 'i1', 1, 0);
  sync.pulled('a', 'i1', 1, bytes(1), 1);
  t.deepEqual(sync.of('a'), { seq: 1, value: bytes(1) });
  sync.gone('a');
  t.is(sync.of('a'), undefined);
  sync.gone('a');
  // The same number counts as new in the next session.
  sync.connected('a', 'i1', 2);
  t.true(sync.heard('a', 'i1', 1, 3));
});

test('messages of nodes that are not connected are ignored and take no memory', (t) => {
  const sync = create();
  t.false(sync.heard('a', 'i1', 1, 0));
  t.deepEqual(sync.pulled('a', 'i1', 1, bytes(1), 0), { changed: false, again: false });
  sync.pullFailed('a', 'i1', 0);
  t.is(sync.of('a'), undefined);
});

test('a cleared status is pulled like any other, and counts as a change', (t) => {
  const sync = withPeer();
  sync.heard('a', 'i1', 1, 0);
  sync.pulled('a', 'i1', 1, bytes(1), 0);
  t.true(sync.heard('a', 'i1', 2, 1));
  t.deepEqual(sync.pulled('a', 'i1', 2, undefined, 2), { changed: true, again: false });
  t.is(sync.of('a'), undefined);
  sync.gone('a');
});

test('the same status under a newer number is not a change', (t) => {
  const sync = withPeer();
  sync.heard('a', 'i1', 1, 0);
  sync.pulled('a', 'i1', 1, bytes(1), 0);
  sync.heard('a', 'i1', 3, 1);
  t.deepEqual(sync.pulled('a', 'i1', 3, bytes(1), 2), { changed: false, again: false });
  t.is(sync.of('a')?.seq, 3);
});

test('number 0 means "I have none": it is pulled if there was a status, and clears it', (t) => {
  const sync = withPeer();
  t.false(sync.heard('a', 'i1', 0, 0));
  sync.heard('a', 'i1', 4, 0);
  sync.pulled('a', 'i1', 4, bytes(4), 1);
  t.true(sync.heard('a', 'i1', 0, 2));
  t.deepEqual(sync.pulled('a', 'i1', 0, undefined, 3), { changed: true, again: false });
  t.is(sync.of('a'), undefined);
  t.false(sync.heard('a', 'i1', 0, 4));
  t.true(sync.heard('a', 'i1', 4, 5));
});

test('a restarted peer begins at 1: its old status is dropped at once, and its new one is pulled', (t) => {
  const sync = withPeer();
  sync.heard('a', 'i1', 50, 0);
  sync.pulled('a', 'i1', 50, bytes(50), 1);
  t.true(sync.heard('a', 'i2', 1, 2));
  t.is(sync.of('a'), undefined);
  t.deepEqual(sync.pulled('a', 'i2', 1, bytes(1), 3), { changed: true, again: false });
  t.deepEqual(sync.of('a'), { seq: 1, value: bytes(1) });
});

test('late numbers, answers and failures of the previous instance are ignored', (t) => {
  const sync = withPeer();
  t.true(sync.heard('a', 'i1', 9, 0));
  t.true(sync.heard('a', 'i2', 2, 1));
  t.deepEqual(sync.pulled('a', 'i1', 9, bytes(9), 2), { changed: false, again: false });
  t.false(sync.heard('a', 'i1', 10, 2));
  sync.pullFailed('a', 'i1', 2);
  t.false(sync.heard('a', 'i2', 2, 3));
  t.true(sync.pulled('a', 'i2', 2, bytes(2), 4).changed);
});

test('a message of a much older instance does not block those of the current one', (t) => {
  const sync = withPeer();
  sync.heard('a', 'i2', 1, 0);
  sync.heard('a', 'i3', 1, 1);
  sync.pulled('a', 'i3', 1, bytes(3), 2);
  t.true(sync.heard('a', 'i1', 7, 3));
  t.false(sync.heard('a', 'i3', 1, 4));
  t.true(sync.heard('a', 'i3', 1, 5_003));
  t.false(sync.pulled('a', 'i3', 1, bytes(3), 5_004).changed);
  t.deepEqual(sync.of('a'), { seq: 1, value: bytes(3) });
});

test('a new connection reveals a restart without any message', (t) => {
  const sync = withPeer();
  sync.heard('a', 'i1', 9, 0);
  sync.pulled('a', 'i1', 9, bytes(9), 0);
  sync.connected('a', 'i1', 1);
  t.is(sync.of('a')?.seq, 9);
  sync.connected('a', 'i2', 2);
  t.is(sync.of('a'), undefined);
  t.false(sync.heard('a', 'i1', 10, 3));
  t.true(sync.heard('a', 'i2', 1, 3));
  // A change is measured against the status that was reported last.
  t.false(sync.pulled('a', 'i2', 1, bytes(9), 4).changed);
});

test('a peer that returns without a status has lost it, which is a change', (t) => {
  const sync = withPeer();
  sync.heard('a', 'i1', 9, 0);
  sync.pulled('a', 'i1', 9, bytes(9), 0);
  t.true(sync.heard('a', 'i2', 0, 1));
  t.deepEqual(sync.pulled('a', 'i2', 0, undefined, 2), { changed: true, again: false });
});

test('a newer number that arrives during a pull is pulled next, unless the answer is that new', (t) => {
  const sync = withPeer();
  t.true(sync.heard('a', 'i1', 1, 0));
  t.false(sync.heard('a', 'i1', 3, 1));
  t.false(sync.heard('a', 'i1', 2, 1));
  t.deepEqual(sync.pulled('a', 'i1', 1, bytes(1), 2), { changed: true, again: true });
  t.false(sync.heard('a', 'i1', 3, 3));
  t.deepEqual(sync.pulled('a', 'i1', 3, bytes(3), 4), { changed: true, again: false });

  t.true(sync.heard('a', 'i1', 4, 5));
  t.false(sync.heard('a', 'i1', 5, 6));
  t.deepEqual(sync.pulled('a', 'i1', 5, bytes(5), 7), { changed: true, again: false });
});

test('an answer older than the known number changes nothing', (t) => {
  const sync = withPeer();
  sync.heard('a', 'i1', 5, 0);
  sync.pulled('a', 'i1', 5, bytes(5), 0);
  sync.heard('a', 'i1', 6, 1);
  t.deepEqual(sync.pulled('a', 'i1', 4, bytes(4), 2), { changed: false, again: false });
  t.deepEqual(sync.of('a'), { seq: 5, value: bytes(5) });
  t.true(sync.heard('a', 'i1', 6, 3));
});

test('a peer that announces more than it answers is pulled no more often than it announces', (t) => {
  const sync = withPeer();
  let pulls = 0;
  for (let now = 0; now < 10; now++) {
    if (!sync.heard('a', 'i1', 1_000_000, now)) continue;
    pulls++;
    while (sync.pulled('a', 'i1', 1, bytes(1), now).again)
      if (++pulls > 100) return t.fail('no end');
  }
  t.is(pulls, 10);
});

test('a failed pull is retried when the next number arrives', (t) => {
  const sync = withPeer();
  t.true(sync.heard('a', 'i1', 1, 0));
  sync.pullFailed('a', 'i1', 10);
  t.true(sync.heard('a', 'i1', 1, 11));
});

test('an unanswered pull is given up after 5 s', (t) => {
  const sync = withPeer();
  t.true(sync.heard('a', 'i1', 1, 0));
  t.false(sync.heard('a', 'i1', 1, 4_999));
  t.true(sync.heard('a', 'i1', 1, 5_000));
  t.true(sync.pulled('a', 'i1', 1, bytes(1), 5_001).changed);
  t.deepEqual(sync.pulled('a', 'i1', 1, bytes(1), 5_002), { changed: false, again: false });
});

test('with loss, delay, reordering and restarts, each end has the status of the other in the end', (t) => {
  for (const seed of seeds(60)) {
    const random = seededRandom(seed);
    const nodes = ['a', 'b'].map((name, n) => ({
      name,
      instance: `${name}0`,
      sync: create(seed * 2 + n),
    }));
    const events: { at: number; run: (now: number) => void }[] = [];
    const lossy = (until: number, now: number) => now < until && random() < 0.3;
    const after = (now: number, run: (now: number) => void) =>
      events.push({ at: now + random() * 3_000, run });
    const END = 60_000;
    const other = (n: number) => nodes[1 - n]!;

    const pull = (n: number, now: number) => {
      const [me, peer] = [nodes[n]!, other(n)];
      const { sync, instance: mine } = me;
      const { sync: theirs, instance } = peer;
      const failed = (at: number) =>
        mine === me.instance && sync.pullFailed(peer.name, instance, at);
      if (lossy(END, now))
        return void (random() < 0.5 && events.push({ at: now + 5_000, run: failed }));
      after(now, () => {
        const { seq, own } = theirs;
        after(now, (at) => {
          if (mine === me.instance && sync.pulled(peer.name, instance, seq, own, at).again)
            pull(n, at);
        });
      });
    };
    const tell = (n: number, seq: number, now: number) => {
      const { instance } = nodes[n]!;
      if (lossy(END, now)) return;
      after(now, (at) => other(n).sync.heard(nodes[n]!.name, instance, seq, at) && pull(1 - n, at));
    };
    const restart = (n: number, now: number) => {
      const node = nodes[n]!;
      node.instance = `${node.name}${now}`;
      node.sync = new TestSync({ random, now });
      node.sync.connected(other(n).name, other(n).instance, now);
      other(n).sync.connected(node.name, node.instance, now);
      node.sync.set(bytes(255), now);
      if (other(n).sync.seq > 0) tell(1 - n, other(n).sync.seq, now);
    };

    for (const n of [0, 1]) nodes[n]!.sync.connected(other(n).name, other(n).instance, 0);
    for (let now = 0; now < END + 20_000; now += 100) {
      if (now < END && random() < 0.1)
        nodes[random() < 0.5 ? 0 : 1]!.sync.set(
          random() < 0.1 ? undefined : bytes(Math.floor(random() * 4)),
          now,
        );
      if (now < END && random() < 0.01) restart(random() < 0.5 ? 0 : 1, now);
      for (const n of [0, 1]) {
        const beat = nodes[n]!.sync.beat(now);
        if (beat !== undefined) tell(n, beat.seq, now);
      }
      for (const event of events.splice(0).sort((x, y) => x.at - y.at))
        event.at <= now ? event.run(now) : events.push(event);
    }
    for (const n of [0, 1])
      t.deepEqual(nodes[n]!.sync.of(other(n).name)?.value, other(n).sync.own, `seed ${seed}`);
  }
});

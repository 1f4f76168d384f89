// Tests of peers that take messages and send none: leaves of the tree answer a probe, and peers
// that don't answer count as mute.

import test from 'ava';
import { trial } from './testing/measure.ts';
import { graftOf, idOf, ihaveOf, pushOf, singleMachine } from './testing/single-machine.ts';

/**
 * Runs a machine that a source pushes to twice a second, with `peer` in its tree. Returns the times
 * at which the peer was probed and reported.
 */
function tried(answers: boolean, seconds: number) {
  const { machine, feed, reports, sent } = singleMachine(['source', 'peer']);
  const asked: number[] = [];
  let mute: number | undefined;
  for (let i = 1; i <= 2 * seconds; i++) {
    const now = 500 * i;
    feed(now, { type: 'received', from: 'source', message: pushOf(i) });
    if (sent().includes('peer graft me0')) {
      asked.push(now);
      const message = { kind: 'absent', ids: [idOf(0, 'me', 0)] } as const;
      if (answers) feed(now + 100, { type: 'received', from: 'peer', message });
    }
    if (reports.length > 0) mute ??= now;
  }
  const isEager = machine.snapshot().neighbors.find(({ id }) => id === 'peer')!.eager;
  return { asked, mute, reports, isEager };
}

test('a silent peer of the tree is asked for a sign; one that does not answer is mute', (t) => {
  const { asked, mute, reports } = tried(false, 25);
  t.is(asked[0], 5_500);
  t.is(mute, asked[0]! + 10_000);
  t.deepEqual(reports[0], ['peer', 'mute']);
  t.true(reports.every(([peer]) => peer === 'peer'));
});

test('a leaf that answers stays in the tree, and is asked half as often each time', (t) => {
  const { asked, mute, isEager } = tried(true, 500);
  t.is(mute, undefined);
  t.true(isEager);
  const pauses = asked.slice(1).map((at, i) => at - asked[i]!);
  t.is(pauses.length, 3);
  for (const [i, pause] of pauses.entries())
    t.true(pause >= 60_000 * 2 ** i && pause < 61_000 * 2 ** i, pauses.join());
});

test('a push, a notice, a graft or a prune counts as a sign', (t) => {
  const signs = [
    (i: number) => pushOf(10_000 + i),
    (i: number) => ihaveOf([i]),
    graftOf,
    () => ({ kind: 'prune' }) as const,
  ];
  for (const sign of signs) {
    const { feed, reports, sent } = singleMachine(['source', 'peer']);
    for (let i = 1; i <= 200; i++) {
      feed(i * 500, { type: 'received', from: 'source', message: pushOf(i) });
      feed(i * 500 + 5, { type: 'wake' });
      if (i % 8 === 7) feed(i * 500 + 10, { type: 'received', from: 'peer', message: sign(i) });
    }
    t.deepEqual(reports, []);
    t.false(sent().some((what) => what.endsWith('graft me0')));
  }
});

test('a peer that receives many messages at once is not probed', (t) => {
  const { feed, sent } = singleMachine(['a', 'b']);
  for (let i = 1; i <= 200; i++) feed(i, { type: 'received', from: 'a', message: pushOf(i) });
  t.false(sent().some((what) => what.endsWith('graft me0')));
});

test('in an honest network with one publisher all leaves answer: none is mute, and the tree does not change', (t) => {
  for (let seed = 1; seed <= 3; seed++) {
    const network = trial({ nodes: 40, degree: 5, seed, latency: [5, 50] });
    const sum = (of: 'prunesSent' | 'duplicates' | 'graftsSent') =>
      network.machines.reduce((all, { counters }) => all + counters[of], 0);
    const publish = (times: number) => {
      for (let i = 0; i < times; i++) {
        network.publish(0);
        network.run(1_000);
      }
      return [sum('prunesSent'), sum('duplicates'), sum('graftsSent')] as const;
    };
    const before = publish(3);
    const [prunes, duplicates, grafts] = publish(120);
    for (const { reached } of network.rounds.values()) t.is(reached.size, 40);
    t.deepEqual(network.reports, []);
    t.deepEqual([prunes, duplicates], before.slice(0, 2), `seed ${seed}`);
    t.true(grafts > before[2] + 20, 'no peer was asked');
  }
});

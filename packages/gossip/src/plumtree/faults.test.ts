// Tests of Plumtree with peers that misbehave: repeated, forged and invented messages, floods, and
// broken promises.

import test from 'ava';
import { plumtreeOptions } from './options.ts';
import { trial } from './testing/measure.ts';
import { nameOf } from './testing/network.ts';
import { graftOf, ihaveOf, pushOf, singleMachine } from './testing/single-machine.ts';

const isGraft = (line: string) => line.includes('graft');
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

test('of a flood of notices only one second’s worth is accepted, and the peer is reported once a second', (t) => {
  const { machine, feed, reports } = singleMachine(['a'], { notices: 100 });
  for (let i = 0; i < 50; i++)
    feed(i, { type: 'received', from: 'a', message: ihaveOf(numbers(10, i * 10)) });
  t.is(machine.snapshot().missing, 100);
  t.is(machine.counters.ignored, 400);
  t.deepEqual(reports, [['a', 'notice-flood']]);
  feed(1_000, { type: 'received', from: 'a', message: ihaveOf(numbers(10, 1_000)) });
  t.is(machine.snapshot().missing, 110);
});

test('made-up ids take bounded memory, expire, and their peer is blamed', (t) => {
  const { machine, feed, runOut, reports, sent } = singleMachine(['a', 'b'], { outstanding: 200 });
  for (let second = 0; second < 20; second++) {
    const message = ihaveOf(numbers(4_000, second * 4_000));
    feed(second * 1_000, { type: 'received', from: 'a', message });
    t.true(machine.snapshot().missing <= 200);
    runOut((second + 1) * 1_000);
    t.true(machine.snapshot().pendingGrafts <= 200);
  }
  // The notices of another peer have separate room.
  feed(20_000, { type: 'received', from: 'b', message: ihaveOf([1], 1, 'y') });
  runOut(40_000);
  t.true(sent().includes('b graft y1'));
  t.is(machine.snapshot().missing, 0);
  t.true(machine.counters.lost > 200);
  t.true(reports.some(([peer, what]) => peer === 'a' && what === 'broken-promise'));
  t.true(reports.length < 60);
});

test('a peer that gives notice and serves nothing is skipped, reported, and from then on asked last', (t) => {
  const { feed, sent, reports } = singleMachine(['liar', 'b'], { lazy: ['b'] });
  for (const from of ['liar', 'b']) feed(0, { type: 'received', from, message: ihaveOf([1]) });
  feed(80, { type: 'wake' });
  feed(120, { type: 'wake' });
  t.deepEqual(sent(), ['liar graft x1', 'b graft x1']);
  feed(150, { type: 'received', from: 'b', message: pushOf(1) });
  feed(3_080, { type: 'wake' });
  t.deepEqual(reports, [['liar', 'broken-promise']]);
  for (const from of ['liar', 'b']) feed(4_000, { type: 'received', from, message: ihaveOf([2]) });
  feed(4_080, { type: 'wake' });
  t.deepEqual(sent().filter(isGraft), ['b graft x2']);
  // A peer that keeps a promise is trusted again.
  feed(4_100, { type: 'received', from: 'b', message: pushOf(2) });
  feed(5_000, { type: 'received', from: 'liar', message: ihaveOf([3]) });
  feed(5_080, { type: 'wake' });
  feed(5_100, { type: 'received', from: 'liar', message: pushOf(3) });
  for (const peer of ['liar', 'b'])
    feed(6_000, { type: 'received', from: peer, message: ihaveOf([4]) });
  feed(6_080, { type: 'wake' });
  t.deepEqual(sent().filter(isGraft), ['liar graft x3', 'liar graft x4']);
});

test('a peer without room for a request has promised nothing', (t) => {
  const { machine, feed, runOut, reports, stuck } = singleMachine(['a']);
  stuck.add('a');
  feed(0, { type: 'received', from: 'a', message: ihaveOf([1]) });
  runOut(10_000);
  t.is(machine.counters.lost, 1);
  t.deepEqual(reports, []);
});

test('a promise is kept by a late message, too, even if another peer was faster', (t) => {
  const { feed, reports } = singleMachine(['a', 'b']);
  feed(0, { type: 'received', from: 'a', message: ihaveOf([1]) });
  feed(80, { type: 'wake' });
  feed(100, { type: 'received', from: 'b', message: pushOf(1) });
  feed(2_000, { type: 'received', from: 'a', message: pushOf(1) });
  feed(10_000, { type: 'wake' });
  t.deepEqual(reports, []);
});

test('a flood of grafts of unknown ids costs only short answers', (t) => {
  const { machine, feed, sent, reports } = singleMachine(['a'], { notices: 50 });
  for (let i = 0; i < 100; i++)
    feed(0, { type: 'received', from: 'a', message: graftOf(...numbers(20, i * 20)) });
  t.is(sent().length, 3);
  t.deepEqual(reports, [['a', 'graft-flood']]);
  const { neighbors: _, ...rest } = machine.snapshot();
  t.deepEqual(rest, { cached: { messages: 0, bytes: 0 }, missing: 0, pendingGrafts: 0 });
});

test('messages from a node that is no neighbor are ignored and leave nothing behind', (t) => {
  const { machine, feed, sent, delivered } = singleMachine(['a']);
  for (const message of [pushOf(1), ihaveOf([1]), graftOf(1), { kind: 'prune' } as const])
    feed(0, { type: 'received', from: 'stranger', message: message });
  feed(0, { type: 'writable', peer: 'stranger' });
  feed(0, { type: 'neighbor-down', peer: 'stranger' });
  t.is(machine.counters.strangers, 4);
  t.deepEqual([sent(), delivered, machine.wakeAt], [[], [], Number.POSITIVE_INFINITY]);
});

test('a peer that takes notices and never forwards anything is detected; one that forwards is not', (t) => {
  const lazy = ['mute', 'giver', 'asker'];
  const { feed, reports } = singleMachine(['source', ...lazy], { lazy });
  for (let i = 0; i < 400; i++) {
    const now = i * 250;
    // The peer that gives notice has each message before it arrives here.
    if (i % 3 === 0) feed(now - 20, { type: 'received', from: 'giver', message: ihaveOf([i]) });
    feed(now, { type: 'received', from: 'source', message: pushOf(i) });
    feed(now + 5, { type: 'wake' });
    if (i % 5 === 0) {
      feed(now + 90, { type: 'received', from: 'asker', message: graftOf(i) });
      feed(now + 91, { type: 'received', from: 'asker', message: { kind: 'prune' } });
    }
  }
  t.deepEqual(new Set(reports.map(([peer, what]) => `${peer} ${what}`)), new Set(['mute mute']));
});

test('if many notices arrive at once, no peer counts as mute before it had time', (t) => {
  const { feed, reports } = singleMachine(['source', 'b'], { lazy: ['b'] });
  for (let i = 0; i < 1_000; i++)
    feed(100_000, { type: 'received', from: 'source', message: pushOf(i) });
  feed(100_005, { type: 'wake' });
  t.deepEqual(reports, []);
});

test('nodes that give notice of everything and serve nothing do not withhold a message from others, and are reported', (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const network = trial({ nodes: 40, degree: 5, seed, latency: [5, 50] });
    network.publish(39);
    network.run(3_000);
    for (let liar = 0; liar < 8; liar++)
      network.replace(liar, (node, from, message, send) => {
        // Gives notice to all nodes at once, so that it is asked first.
        if (message.kind === 'push')
          for (let to = 0; to < 40; to++)
            if (to !== node)
              send(nameOf(to), { kind: 'ihave', notices: [{ id: message.id, hops: 0 }] });
        if (message.kind === 'ihave')
          send(from, { kind: 'graft', ids: message.notices.map(({ id }) => id) });
        return false;
      });
    network.resetTraffic();
    for (let i = 0; i < 20; i++) {
      network.publish(39 - (i % 3));
      network.run(200);
    }
    network.run(20_000);
    for (const { reached } of network.rounds.values())
      for (let node = 8; node < 40; node++) t.true(reached.has(node), `seed ${seed}: ${node}`);
    const broken = network.reports.filter(({ what }) => what === 'broken-promise');
    t.true(broken.length > 0);
    for (const { peer } of broken) t.true(Number(peer.slice(1)) < 8, peer);
  }
});

test('a node that every peer of the tree prunes still gets each message through notices', (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const network = trial({ nodes: 20, degree: 4, seed, latency: [5, 50] });
    const victim = network.machines[7]!;
    for (let i = 0; i < 10; i++) {
      for (const { id } of victim.snapshot().neighbors) {
        network.inject(Number(id.slice(1)), 7, { kind: 'prune' });
        network.inject(7, Number(id.slice(1)), { kind: 'prune' });
      }
      network.publish(i % 7);
      network.publish(7);
      network.run(1_000);
    }
    for (const { reached } of network.rounds.values()) t.is(reached.size, 20);
    t.true(victim.counters.graftsSent > 0);
  }
});

test('no message returns even if the cache and the tables are far too small', (t) => {
  const options = {
    ...plumtreeOptions({ cacheMessages: 2, origins: 8, cacheTime: 50, announce: 4 }),
    gaps: 1,
    idTime: 10_000,
    originTime: 10_000,
    evictInterval: 10,
  };
  const made = { nodes: 30, degree: 5, seed: 9, latency: [5, 60], jitter: 100, options } as const;
  const network = trial(made);
  for (let i = 0; i < 60; i++) {
    network.publish(i % 30);
    network.run(20);
  }
  network.run(5_000);
  const before = network.payloads;
  network.run(60_000);
  t.is(network.payloads, before);
  t.true(network.payloads < 60 * 30 * 6);
});

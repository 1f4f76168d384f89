// Tests of waiting longer for messages that arrive late over the tree.

import test from 'ava';
import { idOf, ihaveOf, pushOf, singleMachine } from './testing/single-machine.ts';

/** Peer b gives notice of the message; peer a pushes it `by` milliseconds later. */
function late(
  { feed }: ReturnType<typeof singleMachine>,
  sequence: number,
  from: number,
  by: number,
): void {
  feed(from, { type: 'received', from: 'b', message: ihaveOf([sequence]) });
  feed(from + by, { type: 'arrived', from: 'a', id: idOf(sequence) });
  feed(from + by, { type: 'received', from: 'a', message: pushOf(sequence) });
}

test('if messages arrive late through the tree, no peer is asked for them before that', (t) => {
  const net = singleMachine(['a', 'b']);
  const { machine, feed, sent } = net;
  late(net, 1, 0, 70);
  feed(1_000, { type: 'received', from: 'b', message: ihaveOf([2]) });
  sent();
  t.is(machine.wakeAt, 1_000 + 80 + 140);
  feed(1_219, { type: 'wake' });
  t.deepEqual(sent(), []);
  feed(1_220, { type: 'wake' });
  t.deepEqual(sent(), ['b graft x2']);
});

test('the expected lateness is halved every five seconds', (t) => {
  const net = singleMachine(['a', 'b']);
  const { machine, feed } = net;
  late(net, 1, 0, 70);
  for (let sequence = 2; sequence < 100; sequence++)
    feed(1_000, { type: 'arrived', from: 'a', id: idOf(sequence) });
  feed(5_070, { type: 'arrived', from: 'a', id: idOf(100) });
  feed(6_000, { type: 'received', from: 'b', message: ihaveOf([101]) });
  t.is(machine.wakeAt, 6_000 + 80 + 70);
});

test('a lower expected lateness hastens requests that wait', (t) => {
  const net = singleMachine(['a', 'b']);
  const { machine, feed, sent } = net;
  late(net, 1, 0, 1_000);
  feed(1_000, { type: 'received', from: 'b', message: ihaveOf([2]) });
  t.is(machine.wakeAt, 1_000 + 80 + 2_000);
  feed(2_000, { type: 'arrived', from: 'a', id: idOf(3) });
  t.is(Math.ceil(machine.wakeAt), 2_822);
  sent();
  feed(2_822, { type: 'wake' });
  t.deepEqual(sent(), ['b graft x2']);
});

test('the expected lateness is two seconds at most, and requested messages do not affect it', (t) => {
  const net = singleMachine(['a', 'b']);
  const { machine, feed } = net;
  feed(0, { type: 'received', from: 'b', message: ihaveOf([1]) });
  feed(80, { type: 'wake' });
  feed(2_500, { type: 'arrived', from: 'b', id: idOf(1) });
  feed(2_500, { type: 'received', from: 'b', message: pushOf(1) });
  feed(3_000, { type: 'received', from: 'b', message: ihaveOf([2]) });
  t.is(machine.wakeAt, 3_080);
  feed(9_000, { type: 'arrived', from: 'a', id: idOf(2) });
  feed(9_000, { type: 'received', from: 'a', message: pushOf(2) });
  feed(10_000, { type: 'received', from: 'b', message: ihaveOf([3]) });
  feed(12_079, { type: 'wake' });
  t.is(machine.counters.graftsSent, 1);
  feed(12_080, { type: 'wake' });
  t.is(machine.counters.graftsSent, 2);
});

test('only a peer that was asked makes the next request due at once by saying that it lacks the message', (t) => {
  const { feed, sent } = singleMachine(['a', 'b', 'c']);
  for (const from of ['a', 'b', 'c']) feed(0, { type: 'received', from, message: ihaveOf([1]) });
  feed(80, { type: 'wake' });
  t.deepEqual(sent(), ['a graft x1']);
  const absent = { kind: 'absent', ids: [idOf(1)] } as const;
  feed(81, { type: 'received', from: 'b', message: absent });
  feed(82, { type: 'wake' });
  t.deepEqual(sent(), []);
  feed(83, { type: 'received', from: 'a', message: absent });
  feed(84, { type: 'wake' });
  t.deepEqual(sent(), ['c graft x1']);
});

test('a peer that withdraws or disconnects does not hasten the next round', (t) => {
  const absent = (from: string) =>
    ({ type: 'received', from, message: { kind: 'absent', ids: [idOf(1)] } }) as const;
  for (const { peers, asked, gone } of [
    { peers: ['a', 'b'], asked: ['a'], gone: [absent('b')] },
    { peers: ['a', 'b'], asked: ['a'], gone: [{ type: 'neighbor-down', peer: 'b' }] },
    { peers: ['a', 'b'], asked: ['a', 'b'], gone: [absent('b')] },
    // The first makes the request to c due at once, which c makes needless.
    { peers: ['b', 'a', 'c'], asked: ['b', 'a'], gone: [absent('b'), absent('c')] },
  ] as const) {
    const { machine, feed, sent } = singleMachine(['a', 'b', 'c']);
    for (const from of peers) feed(0, { type: 'received', from, message: ihaveOf([1]) });
    let now = 40;
    for (const peer of asked) {
      feed((now += 40), { type: 'wake' });
      t.deepEqual(sent(), [`${peer} graft x1`]);
    }
    const again = now + 1_000;
    for (const input of gone) feed(now, input);
    for (now = machine.wakeAt; now < again; now = machine.wakeAt) feed(now, { type: 'wake' });
    t.deepEqual(sent(), []);
    feed(again, { type: 'wake' });
    t.deepEqual(sent(), ['a graft x1']);
  }
});

test('a message that every peer has withdrawn counts as lost', (t) => {
  const { machine, feed } = singleMachine(['a', 'b']);
  for (const from of ['a', 'b']) feed(0, { type: 'received', from, message: ihaveOf([1]) });
  for (const from of ['a', 'b'])
    feed(1, { type: 'received', from, message: { kind: 'absent', ids: [idOf(1)] } });
  t.is(machine.counters.lost, 1);
  t.is(machine.snapshot().missing, 0);
});

test('thousands of missing messages are asked for in turns, the oldest first; a wake in the pause between two turns asks for nothing', (t) => {
  const { machine, feed, sent } = singleMachine(['a'], { attempts: 1, promiseTime: 60_000 });
  const sequences = Array.from({ length: 600 }, (_, sequence) => sequence);
  feed(0, { type: 'received', from: 'a', message: ihaveOf(sequences) });
  const turns: string[] = [];
  const asked: string[] = [];
  while (turns.length < 3) {
    const now = machine.wakeAt;
    feed(now, { type: 'wake' });
    const ids = sent().flatMap((graft) => graft.split(' ').slice(2));
    turns.push(`${ids.length} at ${now}`);
    asked.push(...ids);
    feed(now + 4, { type: 'wake' });
    t.deepEqual(sent(), []);
  }
  t.deepEqual(turns, ['256 at 80', '256 at 85', '88 at 90']);
  t.is(asked.join(), sequences.map((sequence) => `x${sequence}`).join());
  // Messages that are given up count, too; the promises of all stay open.
  t.is(machine.wakeAt, 1_080);
  feed(1_080, { type: 'wake' });
  t.is(machine.counters.lost, 256);
  t.is(machine.wakeAt, 1_085);
  t.is(machine.snapshot().pendingGrafts, 600);
});

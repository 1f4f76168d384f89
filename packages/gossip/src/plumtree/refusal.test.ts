// Tests of messages that are refused, or that take time to check.

import test from 'ava';
import { idOf, ihaveOf, pushOf, singleMachine } from './testing/single-machine.ts';

test('a peer that sent a requested message has kept its promise even if the message is refused', (t) => {
  const { machine, feed, refuse, runOut, sent, reports } = singleMachine(['a', 'b']);
  feed(0, { type: 'received', from: 'a', message: ihaveOf([1]) });
  feed(80, { type: 'wake' });
  t.deepEqual(sent(), ['a graft x1']);
  refuse('a', idOf(1));
  runOut(20_000);
  t.deepEqual(reports, []);
  t.is(machine.counters.brokenPromises, 0);
});

test('a peer that sent a requested message has kept its promise even if there is no room for it, and another peer is asked if it may have room', (t) => {
  for (const mayCome of [false, true]) {
    const { machine, feed, runOut, sent, reports } = singleMachine(['a', 'b']);
    for (const from of ['a', 'b']) feed(0, { type: 'received', from, message: ihaveOf([1]) });
    feed(80, { type: 'wake' });
    feed(90, { type: 'dropped', from: 'a', id: idOf(1), mayCome });
    const asked = sent();
    if (mayCome) {
      const now = machine.wakeAt;
      feed(now, { type: 'wake' });
      asked.push(...sent());
    }
    t.deepEqual(asked, mayCome ? ['a graft x1', 'b graft x1'] : ['a graft x1']);
    feed(2_000, { type: 'dropped', from: 'b', id: idOf(1), mayCome: false });
    runOut(20_000);
    t.deepEqual(reports, []);
    t.is(machine.counters.brokenPromises, 0);
    // A later notice is followed again: there may be room by then.
    feed(20_000, { type: 'received', from: 'b', message: ihaveOf([1]) });
    feed(20_080, { type: 'wake' });
    t.deepEqual(sent(), ['b graft x1']);
  }
});

test('a refused message is not requested from peers that announced it before or after, and is neither forwarded nor delivered', (t) => {
  const { machine, feed, refuse, runOut, sent, delivered } = singleMachine(['a', 'b', 'c']);
  feed(0, { type: 'received', from: 'b', message: ihaveOf([1]) });
  refuse('a', idOf(1));
  feed(10, { type: 'received', from: 'c', message: ihaveOf([1]) });
  runOut(20_000);
  feed(20_000, { type: 'neighbor-up', peer: 'd' });
  runOut(40_000);
  t.deepEqual(sent(), []);
  t.deepEqual(delivered, []);
  t.like(machine.snapshot(), { missing: 0, cached: { messages: 0 } });
  t.is(machine.counters.lost, 0);
});

test('a message that the topic accepts under the id of a refused one is kept and passed on', (t) => {
  const { feed, refuse, sent, delivered, reports } = singleMachine(['a', 'b', 'c']);
  refuse('a', idOf(1));
  feed(10, { type: 'received', from: 'b', message: pushOf(1, { payload: 'the true one' }) });
  t.deepEqual(delivered, ['x1 the true one from b in 1']);
  t.deepEqual(sent(), ['a push x1', 'c push x1']);
  t.deepEqual(reports, []);
});

test('while a message is validated it is not requested from others, nor pushed to peers that announced it meanwhile', (t) => {
  const { machine, feed, runOut, sent, delivered } = singleMachine(['a', 'b', 'c', 'd']);
  feed(0, { type: 'received', from: 'b', message: ihaveOf([1]) });
  feed(0, { type: 'arrived', from: 'a', id: idOf(1) });
  feed(0, { type: 'held', id: idOf(1) });
  feed(10, { type: 'received', from: 'c', message: ihaveOf([1]) });
  runOut(900);
  t.deepEqual(sent(), []);
  t.is(machine.snapshot().missing, 0);
  feed(900, { type: 'received', from: 'a', message: pushOf(1) });
  t.deepEqual(delivered, ['x1 text from a in 1']);
  t.deepEqual(sent(), ['d push x1']);
});

test('a message that was dropped before its validation is requested from those that announced it', (t) => {
  const { machine, feed, runOut, sent } = singleMachine(['a', 'b', 'c']);
  feed(0, { type: 'received', from: 'b', message: ihaveOf([1]) });
  feed(0, { type: 'arrived', from: 'a', id: idOf(1) });
  feed(0, { type: 'held', id: idOf(1) });
  feed(10, { type: 'received', from: 'c', message: ihaveOf([1]) });
  feed(10, { type: 'neighbor-down', peer: 'b' });
  feed(20, { type: 'released', id: idOf(1) });
  t.is(machine.snapshot().missing, 1);
  runOut(900);
  t.deepEqual(sent(), ['c graft x1']);
});

test('if no room is left for a message after its validation, it is requested from a peer that may have room', (t) => {
  const { machine, feed, runOut, sent } = singleMachine(['a', 'b']);
  feed(0, { type: 'arrived', from: 'a', id: idOf(1) });
  feed(0, { type: 'held', id: idOf(1) });
  feed(10, { type: 'received', from: 'b', message: ihaveOf([1]) });
  feed(20, { type: 'dropped', from: 'a', id: idOf(1), mayCome: true });
  t.is(machine.snapshot().missing, 1);
  runOut(100);
  t.deepEqual(sent(), ['b graft x1']);
  feed(200, { type: 'received', from: 'b', message: ihaveOf([1]) });
  runOut(20_000);
  t.is(machine.counters.lost, 1, 'nothing is held any more');
});

test('the notice of a peer that left and returned while the message was validated is forgotten', (t) => {
  const { machine, feed, runOut, sent } = singleMachine(['a', 'b']);
  feed(0, { type: 'arrived', from: 'a', id: idOf(1) });
  feed(0, { type: 'held', id: idOf(1) });
  feed(10, { type: 'received', from: 'b', message: ihaveOf([1]) });
  feed(20, { type: 'neighbor-down', peer: 'b' });
  feed(30, { type: 'neighbor-up', peer: 'b' });
  feed(40, { type: 'released', id: idOf(1) });
  t.is(machine.snapshot().missing, 0);
  runOut(900);
  t.false(sent().includes('b graft x1'));
});

test('a message is accepted after validation even if the neighbor that sent it is gone', (t) => {
  const { machine, feed, sent, delivered } = singleMachine(['a', 'b'], { settleTime: 0 });
  feed(0, { type: 'arrived', from: 'a', id: idOf(1) });
  feed(0, { type: 'held', id: idOf(1) });
  feed(0, { type: 'neighbor-down', peer: 'a' });
  feed(500, { type: 'received', from: 'a', message: pushOf(1, { hops: 20 }) });
  feed(500, { type: 'received', from: 'a', message: pushOf(2) });
  t.deepEqual(delivered, ['x1 text from a in 20']);
  t.deepEqual(sent(), ['b push x1']);
  t.is(machine.counters.strangers, 1, 'what was not held is a stranger’s');
  t.false(machine.snapshot().neighbors.some(({ id }) => id === 'a'));
});

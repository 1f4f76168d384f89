// Tests of the end of a session: idle connections, leaving gracefully, and a transport that closes.

import test from 'ava';
import { type End, Pair, SMALL } from './testing/pair.ts';
import { callOf, protocol } from './testing/stamped-calls.ts';

const open = (options = {}, theirs = options) => new Pair([protocol], options, theirs).open();
const ask = (size = 1) => callOf('ask', size);
const tell = () => callOf('tell');
const reasonOf = (end: End) => end.ending?.error.reason;

test('an end that leaves first sends the credit that it held back, and one that closes drops later messages', (t) => {
  const pair = open();
  for (let i = 0; i < 5; i++) pair.start(pair.dialer, tell());
  pair.quiet();
  for (const call of pair.acceptor.calls.splice(0, 3)) call.account!.giveBack(call.cost, false);
  pair.acceptor.session.shut(0);
  pair.quiet();
  t.is(pair.dialer.ending!.error.reason, 'closed');
  t.is(pair.dialer.count('onewayLost'), 2);
});

test('leaving sends waiting calls elsewhere, and completes open ones', (t) => {
  const pair = open({ limits: { ...SMALL, calls: 1 } });
  const [running, short, long] = [ask(), ask(), ask(SMALL.packet + 1)];
  for (const call of [running, short, long]) pair.start(pair.dialer, call);
  pair.quiet();
  pair.dialer.session.leave('disconnected', 'bye');
  t.deepEqual(pair.dialer.left, [short, long]);
  pair.quiet();
  t.is(pair.dialer.ending, undefined);
  const [served] = pair.acceptor.take();
  served!.carrier.respond(served!, new Uint8Array([7]));
  pair.quiet();
  t.is(running.answer?.[0], 7);
  t.is(reasonOf(pair.dialer), 'disconnected');
  t.is(reasonOf(pair.acceptor), 'disconnected');
});

test('leaving takes no longer than 5 s', (t) => {
  const pair = open();
  const call = ask();
  pair.start(pair.dialer, call);
  pair.quiet();
  pair.dialer.session.leave('disconnected', 'bye');
  pair.quiet();
  pair.pass(4_999);
  t.is(call.settlements, 0);
  pair.pass(1);
  t.deepEqual([call.error?.code, call.error?.sent], ['unavailable', true]);
});

test('a call answered at once, long after its chunk arrived, does not keep its session from leaving', (t) => {
  const pair = open();
  const call = ask();
  pair.start(pair.dialer, call);
  pair.quiet();
  pair.dialer.session.leave('disconnected', 'this end disconnected');
  pair.quiet();
  t.is(pair.acceptor.session.state, 'closing');
  pair.acceptor.session.parts.callee.served.respond(pair.acceptor.calls[0]!, new Uint8Array(1));
  pair.quiet();
  t.is(pair.acceptor.session.state, 'closed');
  t.is(call.answer?.length, 1);
});

test('an end that drains serves its calls for as long as they take, and both ends learn why', (t) => {
  const pair = open();
  const call = ask();
  pair.start(pair.dialer, call);
  pair.quiet();
  pair.acceptor.session.leave('draining', 'out of service');
  pair.quiet();
  pair.pass(60_000);
  pair.quiet();
  t.is(pair.dialer.ending, undefined);
  const [served] = pair.acceptor.calls.splice(0);
  served!.carrier.respond(served!, new Uint8Array(3));
  pair.quiet();
  t.is(call.answer?.length, 3);
  t.is(reasonOf(pair.dialer), 'draining');
  t.is(reasonOf(pair.acceptor), 'draining');
});

test('a call that is open when a draining end is cut fails as disconnected, because a handler has seen it', (t) => {
  const pair = open();
  const call = ask();
  pair.start(pair.dialer, call);
  pair.quiet();
  pair.acceptor.session.leave('draining', 'out of service');
  pair.quiet();
  pair.acceptor.session.shut(0);
  pair.quiet();
  t.not(call.error?.reason, 'draining');
  t.is(call.error?.sent, true);
});

// Tests of the end of a session: idle connections, leaving gracefully, and a transport that closes.

import test from 'ava';
import { bytes } from '../../protocol/bytes.ts';
import { defineProtocol } from '../../protocol/protocol.ts';
import { type End, Pair, SMALL } from '../testing/pair.ts';
import { TestCall } from '../testing/test-call.ts';

const protocol = defineProtocol({
  name: 'scene',
  version: 1,
  channel: 0x20,
  methods: {
    ask: { id: 1, request: bytes, response: bytes },
    tell: { id: 2, request: bytes },
    get: { id: 3, request: bytes, download: bytes },
  },
});

const open = (options = {}, theirs = options) => new Pair([protocol], options, theirs).open();
const ask = (size = 1) => new TestCall(protocol, 'ask', new Uint8Array(size));
const tell = (size = 1) => new TestCall(protocol, 'tell', new Uint8Array(size));
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

test('the dialer leaves an idle connection after idleTimeout, in order', (t) => {
  const pair = open({ idleTimeout: 1_000 });
  pair.pass(999);
  pair.quiet();
  t.is(pair.dialer.ending, undefined);
  pair.pass(1);
  pair.quiet();
  t.is(reasonOf(pair.dialer), 'idle');
  t.is(reasonOf(pair.acceptor), 'idle');
});

test('a hold or an open call keeps the connection', (t) => {
  const pair = open({ idleTimeout: 1_000 }, { idleTimeout: Number.POSITIVE_INFINITY });
  const release = pair.dialer.session.hold();
  pair.pass(5_000);
  pair.quiet();
  t.is(pair.dialer.ending, undefined);
  const call = ask();
  pair.start(pair.dialer, call);
  pair.quiet();
  release();
  release();
  pair.pass(5_000);
  pair.quiet();
  t.is(pair.dialer.ending, undefined);
  const [served] = pair.acceptor.take();
  served!.carrier.respond(served!, new Uint8Array(1));
  pair.quiet();
  t.is(call.settlements, 1);
  pair.pass(5_000);
  pair.quiet();
  t.is(reasonOf(pair.dialer), 'idle');
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

test('a transport that closes fails unsent calls at once, and gives the rest its grace', (t) => {
  const pair = open();
  const flying = ask();
  pair.start(pair.dialer, flying);
  pair.quiet();
  pair.dialer.stuck = true;
  pair.start(pair.dialer, tell());
  pair.tick(pair.dialer);
  const unsent = ask();
  pair.start(pair.dialer, unsent);
  pair.dialer.session.shut(500);
  t.deepEqual([unsent.error?.code, unsent.error?.sent], ['shutdown', false]);
  t.is(flying.settlements, 0);
  pair.dialer.drain(pair.now);
  pair.quiet();
  pair.pass(500);
  t.deepEqual([flying.error?.code, flying.error?.sent], ['shutdown', true]);
});

test('calls that arrive at a closing transport are refused unprocessed', (t) => {
  const pair = open();
  const open1 = ask();
  pair.start(pair.acceptor, open1);
  pair.quiet();
  const call = ask();
  pair.start(pair.dialer, call);
  pair.tick(pair.dialer);
  pair.acceptor.session.shut(500);
  pair.quiet();
  t.deepEqual(
    [call.error?.code, call.error?.reason, call.error?.sent, call.error?.origin],
    ['unavailable', 'closed', false, 'remote'],
  );
  t.is(pair.acceptor.calls.length, 0);
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

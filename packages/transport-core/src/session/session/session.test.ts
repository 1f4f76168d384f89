// Tests one session against another on manual time: opening, deadlines, silence and closing, as
// their drivers see them.

import test from 'ava';
import { reasonError, type TransportError } from '../../errors.ts';
import { bytes } from '../../protocol/bytes.ts';
import { defineProtocol, methodTable } from '../../protocol/protocol.ts';
import { PREAMBLE } from '../../wire/frame.ts';
import { type End, Pair } from '../testing/pair.ts';
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

test('the hello succeeds however its bytes are cut', (t) => {
  const pair = new Pair([protocol]);
  pair.dialer.session.open({ token: 'x' });
  for (let i = 0; i < 10_000 && !(pair.dialer.isUp && pair.acceptor.isUp); i++) {
    for (const end of [pair.dialer, pair.acceptor]) {
      if (end.isDirty) pair.tick(end);
      pair.move(end, 1);
    }
  }
  t.true(pair.dialer.isUp && pair.acceptor.isUp);
  t.deepEqual({ ...pair.acceptor.hello!.fields }, { token: 'x' });
});

test('an end that wrote before it read the hello is not considered stuck since then', (t) => {
  const pair = new Pair([protocol]);
  pair.dialer.session.open({});
  for (const end of [pair.dialer, pair.acceptor]) {
    pair.move(pair.dialer, PREAMBLE.length);
    pair.tick(end);
  }
  pair.quiet();
  t.true(pair.dialer.isUp && pair.acceptor.isUp);
  for (let time = 0; time < 30_000; time += 1_000) {
    pair.pass(1_000);
    pair.quiet();
  }
  t.deepEqual([pair.dialer.ending, pair.acceptor.ending], [undefined, undefined]);
});

test('an acceptor whose preamble was kept writes its hello only after drained', (t) => {
  const pair = new Pair([protocol]);
  pair.dialer.session.open({});
  pair.move(pair.dialer, PREAMBLE.length);
  pair.acceptor.stuck = true;
  pair.tick(pair.acceptor);
  pair.quiet();
  t.deepEqual(pair.acceptor.sent, []);
  pair.acceptor.drain(pair.now);
  pair.quiet();
  t.true(pair.dialer.isUp && pair.acceptor.isUp);
});

test('an acceptor sends nothing before it has read the preamble, and nothing in answer to an invalid one', (t) => {
  const { acceptor } = new Pair([protocol]);
  acceptor.session.receive(1_000, PREAMBLE.subarray(0, 3));
  t.is(acceptor.sent.length, 0);
  acceptor.session.receive(1_000, new TextEncoder().encode('GET / HTTP/1.1'));
  t.is(acceptor.sent.length, 0);
  t.is(reasonOf(acceptor), 'wrong_preamble');
  t.true(acceptor.closing);
});

test('a hello that does not complete in time is disconnected at both ends', (t) => {
  const pair = new Pair([protocol]);
  pair.acceptor.consents = false;
  pair.dialer.session.open({});
  pair.quiet();
  pair.pass(4_999);
  t.is(pair.dialer.ending, undefined);
  pair.pass(1);
  t.is(reasonOf(pair.dialer), 'handshake_timeout');
  t.is(reasonOf(pair.acceptor), 'handshake_timeout');
});

test('a dialer whose hello arrives after the end sends nothing', (t) => {
  const pair = new Pair([protocol]);
  pair.pass(5_000);
  t.is(reasonOf(pair.dialer), 'handshake_timeout');
  pair.dialer.session.open({});
  t.is(pair.dialer.sent.length, 0);
});

test('a refusal has a code and a reason, and ends the session at both ends', (t) => {
  const pair = new Pair([protocol]);
  pair.acceptor.consents = false;
  pair.dialer.session.open({});
  pair.quiet();
  pair.acceptor.session.break(reasonError('denied', 'not you'));
  pair.quiet();
  for (const end of [pair.dialer, pair.acceptor]) {
    t.deepEqual(
      [end.ending!.error.code, end.ending!.error.reason, end.ending!.error.message],
      ['permission_denied', 'denied', 'not you'],
    );
    t.is(end.endings, 1);
    t.false(end.isUp);
  }
  t.is(pair.dialer.ending!.error.origin, 'remote');
});

test('another network is refused before admission', (t) => {
  const self = (network: string) => ({
    self: { instance: '3'.repeat(32), network, addr: '', nodeId: '' },
  });
  const pair = new Pair([protocol], self('main'), self('test'));
  pair.dialer.session.open({});
  pair.quiet();
  t.is(reasonOf(pair.dialer), 'wrong_network');
  t.is(reasonOf(pair.acceptor), 'wrong_network');
  t.is(pair.acceptor.hello, undefined);
});

test('a peer that the layer refuses gets the preamble and its reason, and nothing else', (t) => {
  const pair = new Pair([protocol], {}, { refused: reasonError('denied', 'on the list') });
  pair.dialer.session.open({});
  pair.quiet();
  t.is(reasonOf(pair.dialer), 'denied');
  t.is(pair.acceptor.hello, undefined);
});

test('a round trip is measured as soon as the session is up', (t) => {
  const pair = new Pair([protocol]);
  pair.dialer.session.open({});
  while (!pair.dialer.isUp) {
    for (const end of [pair.dialer, pair.acceptor]) {
      if (end.isDirty) pair.tick(end);
      pair.move(end);
    }
  }
  pair.now += 7;
  pair.quiet();
  t.is(pair.dialer.session.parts.liveness.rtt, 7);
});

test('a call counts as sent when its batch has left, not before; a single call leaves at once', (t) => {
  const pair = open();
  const alone = ask();
  pair.start(pair.dialer, alone);
  t.true(alone.sent);
  const call = ask();
  pair.start(pair.dialer, call);
  t.false(call.sent);
  pair.tick(pair.dialer);
  t.true(call.sent);
});

test('calls in a batch that never left are returned in order; those that left fail as sent', (t) => {
  const pair = open();
  const left = ask();
  pair.start(pair.dialer, left);
  pair.tick(pair.dialer);
  const calls = [ask(), ask(5_000), ask(), ask(9_000), ask()];
  for (const call of calls) pair.start(pair.dialer, call);
  pair.cut();
  t.deepEqual(pair.dialer.ending!.unsent, calls);
  t.deepEqual(
    [left.error!.code, left.error!.reason, left.error!.sent],
    ['unavailable', 'reset', true],
  );
});

test('one-way messages without returned credit are counted, including those in a batch that never left', (t) => {
  const pair = open();
  pair.start(pair.dialer, tell());
  pair.tick(pair.dialer);
  for (let i = 0; i < 3; i++) pair.start(pair.dialer, tell());
  pair.cut();
  t.is(pair.dialer.count('onewayLost'), 4);
});

test('a one-way message that was read is not lost; one that waits for its reader counts, unless both ends leave in order', (t) => {
  for (const isOrderly of [false, true]) {
    const pair = open();
    for (let i = 0; i < 5; i++) pair.start(pair.dialer, tell());
    pair.quiet();
    for (const call of pair.acceptor.calls.splice(0, 3)) call.account!.giveBack(call.cost, false);
    pair.quiet();
    pair.pass(100);
    pair.quiet();
    if (isOrderly) pair.dialer.session.leave('disconnected', 'enough');
    pair.quiet();
    pair.cut();
    t.is(pair.dialer.count('onewayLost'), isOrderly ? 0 : 2);
  }
});

test('a deadline that passes at the caller cancels the call at the callee; the late answer is counted', (t) => {
  const pair = open();
  const call = ask();
  call.travels = false;
  call.due = pair.now + 100;
  pair.start(pair.dialer, call);
  pair.quiet();
  const [served] = pair.acceptor.take();
  pair.pass(100);
  t.is(call.error?.code, 'deadline_exceeded');
  let gone: TransportError | undefined;
  served!.widen();
  served!.cancelled = (error) => {
    gone = error;
  };
  pair.quiet();
  t.is(gone?.code, 'cancelled');
  t.false(served!.carrier.respond(served!, new Uint8Array(1)));
  t.is(pair.dialer.count('lateReply'), 1);
  t.is(pair.dialer.session.parts.caller.slots.size, 0);
});

test('a deadline is sent as the remaining time, and ends the call at the callee by itself', (t) => {
  const pair = open();
  const call = ask();
  call.due = pair.now + 500.4;
  pair.now += 100;
  pair.start(pair.dialer, call);
  pair.quiet();
  const [served] = pair.acceptor.take();
  t.is(served!.due, pair.now + 401);
  pair.acceptor.session.wake(pair.now + 400);
  t.true(served!.open);
  pair.acceptor.session.wake(pair.now + 401);
  t.false(served!.open);
  pair.quiet();
  t.is(call.error?.code, 'deadline_exceeded');
});

test('a CANCEL breaks off a long response that has begun', (t) => {
  const pair = open();
  const call = ask();
  pair.start(pair.dialer, call);
  pair.quiet();
  const [served] = pair.acceptor.take();
  served!.carrier.respond(served!, new Uint8Array(100 * 1024));
  pair.tick(pair.acceptor);
  call.giveUp('cancelled');
  pair.tick(pair.dialer);
  pair.move(pair.dialer);
  pair.tick(pair.acceptor);
  t.true(pair.acceptor.session.parts.outbox.idle);
  pair.quiet();
  t.is(pair.dialer.session.parts.caller.slots.size, 0);
});

test('many calls whose deadlines pass at the same time end over several turns', (t) => {
  const pair = open();
  const due = pair.now + 500;
  for (let i = 0; i < 100; i++) {
    const call = ask();
    call.due = due;
    pair.start(pair.dialer, call);
  }
  pair.quiet();
  const served = pair.acceptor.take();
  const ended = () => served.filter((call) => !call.open).length;
  const { session } = pair.acceptor;
  t.true(session.wake(due + 1) <= due + 1, 'it wants to be woken again at once');
  t.is(ended(), 64);
  t.true(session.wake(due + 2) > due + 2);
  t.is(ended(), 100);
});

test('a call that its caller cancels while it waits is never sent', (t) => {
  const pair = open();
  pair.dialer.stuck = true;
  pair.start(pair.dialer, ask());
  pair.tick(pair.dialer);
  const call = ask();
  pair.start(pair.dialer, call);
  call.giveUp('cancelled');
  pair.dialer.drain(pair.now);
  pair.quiet();
  t.is(pair.acceptor.calls.length, 1);
  t.false(call.error!.sent!);
});

test('silence for interval and timeout gives ping_timeout; any byte postpones it', (t) => {
  const pair = open();
  pair.pass(10_000);
  pair.quiet();
  pair.pass(9_999);
  pair.quiet();
  t.is(pair.dialer.ending, undefined);
  for (let second = 0; second < 16; second++) {
    pair.pass(1_000);
    for (const end of [pair.dialer, pair.acceptor]) {
      if (end.isDirty) pair.tick(end);
      end.sent = [];
    }
  }
  t.is(reasonOf(pair.dialer), 'ping_timeout');
  t.is(reasonOf(pair.acceptor), 'ping_timeout');
});

test('after a sleep no peer is blamed, but deadlines of calls still apply', (t) => {
  const pair = open();
  const call = ask();
  call.due = pair.now + 5_000;
  pair.start(pair.dialer, call);
  pair.quiet();
  for (const end of [pair.dialer, pair.acceptor]) end.session.excuse(60_000);
  pair.pass(60_000);
  t.is(call.error?.code, 'deadline_exceeded');
  t.is(pair.dialer.ending, undefined);
  t.is(pair.acceptor.ending, undefined);
});

test('a connection that keeps a batch for 10 s is disconnected', (t) => {
  const pair = open({ keepAlive: { interval: 60_000, timeout: 60_000 } });
  pair.dialer.stuck = true;
  pair.start(pair.dialer, ask());
  pair.tick(pair.dialer);
  pair.pass(9_999);
  t.is(pair.dialer.ending, undefined);
  pair.pass(1);
  t.is(reasonOf(pair.dialer), 'reset');
});

test('a frame that has begun ends within 15 s', (t) => {
  const pair = open({ keepAlive: { interval: 60_000, timeout: 60_000 } });
  pair.start(pair.dialer, ask(1_000));
  pair.tick(pair.dialer);
  pair.move(pair.dialer, 500);
  pair.pass(14_999);
  t.is(pair.acceptor.ending, undefined);
  pair.pass(1);
  t.is(reasonOf(pair.acceptor), 'malformed');
});

test('frames that arrive slowly, each within its time, are not a violation', (t) => {
  const pair = open({ keepAlive: { interval: 60_000, timeout: 60_000 } });
  for (let i = 0; i < 5; i++) pair.start(pair.dialer, ask(100));
  pair.tick(pair.dialer);
  while (pair.move(pair.dialer, 60)) pair.pass(6_000);
  t.is(pair.acceptor.ending, undefined);
  t.is(pair.acceptor.calls.length, 5);
});

test('the peer learns a protocol that is mounted later, and an unmounted one is unimplemented', (t) => {
  const late = defineProtocol({
    name: 'late',
    version: 3,
    accepts: [2],
    channel: 0x30,
    methods: { ask: { id: 1, request: bytes, response: bytes } },
  });
  const older = defineProtocol({
    name: 'late',
    version: 2,
    channel: 0x30,
    methods: { ask: { id: 1, request: bytes, response: bytes } },
  });
  const pair = open();
  const before = new TestCall(late, 'ask', new Uint8Array(1));
  pair.dialer.mounts.set(0x30, { protocol: late, table: methodTable(late) });
  pair.dialer.session.announce();
  pair.start(pair.dialer, before);
  pair.quiet();
  t.is(before.error?.code, 'unimplemented');
  pair.acceptor.mounts.set(0x30, { protocol: older, table: methodTable(older) });
  pair.acceptor.session.announce();
  pair.quiet();
  const call = new TestCall(late, 'ask', new Uint8Array(1));
  pair.start(pair.dialer, call);
  pair.quiet();
  t.is(pair.acceptor.calls.length, 1);
  t.is(pair.acceptor.session.parts.channels.get(0x30).version, 2);
  t.is(pair.dialer.session.parts.channels.get(0x30).version, 2);
});

test('protocols that are mounted during the hello are announced when it is complete', (t) => {
  const late = defineProtocol({
    name: 'late',
    version: 1,
    channel: 0x30,
    methods: { ask: { id: 1, request: bytes, response: bytes } },
  });
  const pair = new Pair([protocol]);
  pair.dialer.session.open({});
  pair.dialer.mounts.set(0x30, { protocol: late, table: methodTable(late) });
  pair.dialer.session.announce();
  pair.quiet();
  const { theirs } = pair.acceptor.session.parts.channels.protocols;
  t.deepEqual(
    theirs.map(({ name }) => name),
    ['scene', 'late'],
  );
});

test('a channel keeps its name: another protocol there fails with failed_precondition', (t) => {
  const other = defineProtocol({
    name: 'other',
    version: 1,
    channel: 0x20,
    methods: { ask: { id: 1, request: bytes, response: bytes } },
  });
  const pair = open();
  pair.start(pair.dialer, ask());
  pair.quiet();
  for (const { mounts, session } of [pair.dialer, pair.acceptor]) {
    mounts.set(0x20, { protocol: other, table: methodTable(other) });
    session.announce();
  }
  pair.quiet();
  const call = new TestCall(other, 'ask', new Uint8Array(1));
  pair.start(pair.dialer, call);
  pair.quiet();
  t.is(call.error?.code, 'failed_precondition');
});

test('a violation by size is reported as too_large', (t) => {
  const pair = open();
  // The length of a frame of 20 KiB and a byte, which is more than the packet and 16 KiB.
  pair.acceptor.session.receive(pair.now, new Uint8Array([0x81, 0xa0, 0x01]));
  pair.quiet();
  t.deepEqual([reasonOf(pair.acceptor), reasonOf(pair.dialer)], ['too_large', 'too_large']);
});

test('a violation ends the session at both ends with its reason, and unsent calls are returned', (t) => {
  const pair = open();
  const [sent, unsent] = [ask(), ask()];
  pair.start(pair.dialer, sent);
  pair.quiet();
  pair.dialer.stuck = true;
  pair.start(pair.dialer, tell());
  pair.tick(pair.dialer);
  pair.start(pair.dialer, unsent);
  // Kind 20 does not exist in the wire protocol.
  pair.acceptor.session.receive(pair.now, new Uint8Array([2, 0x08, 20]));
  pair.quiet();
  t.is(reasonOf(pair.acceptor), 'malformed');
  t.deepEqual([reasonOf(pair.dialer), pair.dialer.ending!.error.origin], ['malformed', 'remote']);
  t.is(sent.error?.sent, true);
  t.deepEqual(pair.dialer.ending!.unsent, [unsent]);
});

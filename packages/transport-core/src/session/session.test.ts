// Tests one session against another on manual time: opening, deadlines, silence and closing, as
// their drivers see them.

import test from 'ava';
import { reasonError } from '../errors.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import { pluck } from '../testing/pluck.ts';
import { Kind, LENT, PREAMBLE } from '../wire/frame.ts';
import { encoded, writeMessage } from '../wire/testing/frames.ts';
import { Memory } from './memory.ts';
import { type End, Pair, SMALL } from './testing/pair.ts';
import { callOf, methods, protocol } from './testing/stamped-calls.ts';
import { TestCall } from './testing/test-call.ts';

const open = (options = {}, theirs = options) => new Pair([protocol], options, theirs).open();
const ask = (size = 1) => callOf('ask', size);
const tell = () => callOf('tell');
/** Opens a pair whose dialer has sent a request that the acceptor has received. */
const asked = (size?: number) => {
  const pair = open();
  const call = ask(size);
  pair.start(pair.dialer, call);
  pair.quiet();
  return { pair, call };
};
const MIB = 1024 * 1024;
const reasonOf = (end: End) => end.ending?.error.reason;

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
  pair.acceptor.drain();
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

test('a dialer whose hello arrives after the end sends nothing', (t) => {
  const pair = new Pair([protocol]);
  pair.pass(5_000);
  t.is(reasonOf(pair.dialer), 'handshake_timeout');
  pair.dialer.session.open({});
  t.is(pair.dialer.sent.length, 0);
});

test('a peer that the layer refuses gets the preamble and its reason, and nothing else', (t) => {
  const pair = new Pair([protocol], {}, { refused: reasonError('denied', 'on the list') });
  pair.dialer.session.open({});
  pair.quiet();
  t.is(reasonOf(pair.dialer), 'denied');
  t.is(pair.acceptor.hello, undefined);
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

test('a one-way that had begun counts as lost only if its sender was told that it was sent', (t) => {
  const pair = open();
  const lent = callOf('tell', LENT);
  const taken = callOf('tell', LENT);
  pair.start(pair.dialer, lent);
  pair.start(pair.dialer, taken);
  pair.tick(pair.dialer);
  t.true(lent.unit!.begun);
  taken.accepted();
  pair.cut();
  t.deepEqual(pair.dialer.ending!.unsent, [lent]);
  t.is(pair.dialer.count('onewayLost'), 1);
});

test('a one-way whose memory is lent expires and fails while it waits to be sent', (t) => {
  const pair = open({
    limits: { ...SMALL, packet: LENT, credit: { ...SMALL.credit, inbox: MIB } },
  });
  pair.dialer.stuck = true;
  pair.start(pair.dialer, tell());
  pair.tick(pair.dialer);
  const [late, closed] = [callOf('tell', LENT), callOf('tell', LENT)];
  late.due = pair.now + 50;
  pair.start(pair.dialer, late);
  pair.start(pair.dialer, closed);
  pair.pass(50);
  t.is(late.error?.code, 'deadline_exceeded');
  pair.dialer.session.endChannel(0x20, reasonError('closed', 'unmounted'));
  t.is(closed.error?.reason, 'closed');
});

test('a one-way message that was read is not lost; one that waits for its reader counts, unless both ends leave in order', (t) => {
  for (const isOrderly of [false, true]) {
    const pair = open();
    for (let i = 0; i < 5; i++) pair.start(pair.dialer, tell());
    pair.quiet();
    for (const call of pair.acceptor.calls.splice(0, 3)) call.giveBack();
    pair.quiet();
    pair.pass(100);
    pair.quiet();
    if (isOrderly) pair.dialer.session.leave('disconnected', 'enough');
    pair.quiet();
    pair.cut();
    t.is(pair.dialer.count('onewayLost'), isOrderly ? 0 : 2);
  }
});

test('a CANCEL breaks off a long response that has begun', (t) => {
  const { pair, call } = asked();
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

test('a long response that stops is dropped after 10 s, even if its call has ended', (t) => {
  const pair = open();
  const call = ask();
  call.due = pair.now + 5_000;
  pair.start(pair.dialer, call);
  pair.quiet();
  const [served] = pair.acceptor.take();
  served!.carrier.respond(served!, new Uint8Array(3 * SMALL.packet));
  pair.tick(pair.acceptor);
  pair.move(pair.acceptor, 1.5 * SMALL.packet);
  pair.pass(5_000);
  t.is(call.error?.code, 'deadline_exceeded');
  t.is(pair.dialer.memory.used, SMALL.packet);
  pair.pass(5_000);
  t.is(pair.dialer.memory.used, 0);
});

test('an item that stops fails its call after 10 s, even if no PING is due by then', (t) => {
  const pair = open({ keepAlive: { interval: 60_000, timeout: 60_000 } });
  // The limits of the hello are over, so nothing else wakes the dialer.
  pair.pass(10_000);
  const call = callOf('get');
  pair.start(pair.dialer, call);
  pair.quiet();
  const [served] = pair.acceptor.take();
  void served!.download!.write(new Uint8Array(3 * SMALL.packet));
  pair.tick(pair.acceptor);
  pair.move(pair.acceptor, 1.5 * SMALL.packet);
  pair.pass(9_999);
  t.is(call.error, undefined);
  pair.pass(1);
  t.is(call.error?.code, 'aborted');
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

test('a session that ends because a call expires sends nothing after its GO_AWAY', (t) => {
  // The next PING is due with the call, or the PONG of the last one is overdue.
  for (const isAnswered of [true, false]) {
    const { pair, call } = asked();
    const { dialer } = pair;
    dialer.destroy = () => t.fail('the GO_AWAY is dropped');
    call.due = pair.now + 20_000;
    call.expired = () => dialer.session.break(reasonError('denied', 'on the list'));
    const wake = () => dialer.session.wake((pair.now += 10_000));
    wake();
    if (isAnswered) pair.quiet();
    dialer.sent = [];
    t.is(wake(), Number.POSITIVE_INFINITY);
    t.is(dialer.sent.length, 1);
  }
});

test('frames that arrive slowly, each within its time, are not a violation', (t) => {
  const pair = open({ keepAlive: { interval: 60_000, timeout: 60_000 } });
  for (let i = 0; i < 5; i++) pair.start(pair.dialer, ask(100));
  pair.tick(pair.dialer);
  while (pair.move(pair.dialer, 60)) pair.pass(6_000);
  t.is(pair.acceptor.ending, undefined);
  t.is(pair.acceptor.calls.length, 5);
});

test('an end whose hello is above a limit ends the connection, and tells the other end why', (t) => {
  const many = Array.from({ length: 65 }, (_, i) =>
    defineProtocol({ name: `p${i}`, channel: 0x20 + i, methods }),
  );
  for (const side of ['dialer', 'acceptor'] as const) {
    const pair = new Pair([protocol]);
    for (const each of many) pair[side].mount(each);
    pair.dialer.session.open({});
    pair.quiet();
    for (const end of [pair.dialer, pair.acceptor]) {
      t.is(end.ending?.error.code, 'invalid_argument');
      t.regex(end.ending!.error.message, /65 protocols; at most 64/);
    }
    t.is(pair[side].ending!.error.unreachable, false, 'another address would not help');
  }
});

test('protocols that are mounted during the hello are announced when it is complete', (t) => {
  const late = defineProtocol({ name: 'late', channel: 0x30, methods });
  const pair = new Pair([protocol]);
  pair.dialer.session.open({});
  pair.dialer.mount(late);
  pair.dialer.session.announce();
  pair.quiet();
  const { theirs } = pair.acceptor.session.parts.channels;
  t.deepEqual(pluck(theirs, 'name'), ['first', 'late']);
});

test('a channel keeps its name: another protocol there fails with failed_precondition', (t) => {
  const other = defineProtocol({ name: 'other', channel: 0x20, methods });
  const { pair } = asked();
  for (const end of [pair.dialer, pair.acceptor]) {
    end.mount(other);
    end.session.announce();
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

test('a last PART above the agreed packet is a violation by size, and nothing throws', (t) => {
  // Much is allocated ahead, so the message has a piece of two packets.
  const memory = new Memory(64 * MIB);
  memory.reserve(8 * MIB - SMALL.packet);
  const { acceptor, now } = open({}, { memory });
  const frame = { kind: Kind.REQUEST, id: 1, channel: 0x20, method: 1 };
  const size = 2 * SMALL.packet + 1;
  for (const fields of [
    { ...frame, size },
    { kind: Kind.PART, id: 1 },
  ]) {
    const payload = new Uint8Array(fields.kind === Kind.PART ? size - SMALL.packet : SMALL.packet);
    acceptor.session.receive(
      now,
      encoded((encoder) => writeMessage(encoder, fields, payload)),
    );
  }
  t.is(reasonOf(acceptor), 'too_large');
});

test('a long request that was answered at once is not held until its deadline', (t) => {
  const { pair, call } = asked(SMALL.packet * 4);
  const [served] = pair.acceptor.take();
  t.is(served!.payload.length, SMALL.packet * 4);
  served!.carrier.respond(served!, new Uint8Array(1));
  t.is(
    served!.payload.length,
    0,
    'the session knows the call until its deadline, so it must not hold the request',
  );
  pair.quiet();
  t.is(call.answer?.length, 1);
});

test('one-ways are reported as done together, at the next multiple of 100 ms', (t) => {
  const pair = open();
  const { account } = pair.dialer.session.parts.channels.get(0x20).lanes;
  for (const passed of [30, 30, 39]) {
    pair.start(pair.dialer, tell());
    pair.quiet();
    pair.acceptor.take()[0]!.giveBack();
    pair.pass(passed);
    pair.quiet();
  }
  const { lanes } = pair.dialer.session.parts.channels.get(0x20);
  t.deepEqual([lanes.undone, lanes.account < account], [3, true]);
  pair.pass(1);
  pair.quiet();
  t.deepEqual([lanes.undone, lanes.account], [0, account]);
});

test('an end that leaves first sends the credit that it held back, and one that closes drops later messages', (t) => {
  const pair = open();
  for (let i = 0; i < 5; i++) pair.start(pair.dialer, tell());
  pair.quiet();
  for (const call of pair.acceptor.calls.splice(0, 3)) call.giveBack();
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
  const { pair, call } = asked();
  pair.dialer.session.leave('disconnected', 'bye');
  pair.quiet();
  pair.pass(4_999);
  t.is(call.settlements, 0);
  pair.pass(1);
  t.deepEqual([call.error?.code, call.error?.sent], ['unavailable', true]);
});

test('a call answered at once, long after its chunk arrived, does not keep its session from leaving', (t) => {
  const { pair, call } = asked();
  pair.dialer.session.leave('disconnected', 'this end disconnected');
  pair.quiet();
  t.is(pair.acceptor.session.state, 'closing');
  pair.acceptor.session.parts.callee.respond(pair.acceptor.calls[0]!, new Uint8Array(1));
  pair.quiet();
  t.is(pair.acceptor.session.state, 'closed');
  t.is(call.answer?.length, 1);
});

test('an end that drains serves its calls for as long as they take, and both ends learn why', (t) => {
  const { pair, call } = asked();
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
  const { pair, call } = asked();
  pair.acceptor.session.leave('draining', 'out of service');
  pair.quiet();
  pair.acceptor.session.shut(0);
  pair.quiet();
  t.not(call.error?.reason, 'draining');
  t.is(call.error?.sent, true);
});

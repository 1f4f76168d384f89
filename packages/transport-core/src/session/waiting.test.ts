// Tests calls that wait for room in the outbox, and when they are admitted.

import test from 'ava';
import { methodTable } from '../protocol/protocol.ts';
import { Account, Kind, SLOTS } from '../wire/frame.ts';
import { encoded, writeMessage } from '../wire/testing/frames.ts';
import { HANDLER } from './incoming-calls.ts';
import { Pair, SMALL } from './testing/pair.ts';
import { callOf, protocol, protocols } from './testing/stamped-calls.ts';
import { TestCall } from './testing/test-call.ts';

const long = new Uint8Array(SMALL.packet * 4);

/**
 * Makes an acceptor that serves a download whose item waits for the pipe, while a long one-way of
 * its own waits behind that item.
 */
function waitingBehindAnItem() {
  const pair = new Pair([protocol], {
    limits: { ...SMALL, outbound: { messages: 100, bytes: SMALL.packet } },
  }).open();
  const { dialer, acceptor } = pair;
  const get = callOf('get');
  pair.start(dialer, get);
  pair.quiet();
  const [served] = acceptor.take();
  served!.run(HANDLER);
  acceptor.session.parts.outbox.open({ pipe: 0 });
  served!.download!.write(new Uint8Array(100)).catch(() => {});
  const tell = callOf('tell', long.length);
  pair.start(acceptor, tell);
  pair.quiet();
  return { pair, dialer, acceptor, get, served: served!, tell };
}

test('a call that waits for room is sent after an item before it has left', (t) => {
  const { pair, dialer, acceptor, tell } = waitingBehindAnItem();
  t.false(tell.done);
  acceptor.session.parts.outbox.grant(SMALL.credit.pipe);
  pair.quiet();
  t.true(tell.done);
  t.is(tell.error, undefined);
  t.is(dialer.take().length, 1);
});

test('a call that waits for room is sent after an item before it is dropped', (t) => {
  const { pair, acceptor, get, tell } = waitingBehindAnItem();
  t.false(tell.done);
  get.giveUp('cancelled');
  pair.quiet();
  t.true(tell.done, 'it has room although the pipe is empty');
  t.is(tell.error, undefined);
  t.is(acceptor.ending, undefined);
});

test('a long one-way, which needs an id, waits while calls have all of them', (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: SLOTS } }).open();
  const { dialer, acceptor } = pair;
  const asked = callOf('ask');
  pair.start(dialer, asked);
  for (let n = 1; n < SLOTS; n++) pair.start(dialer, callOf('ask'));
  const tell = callOf('tell', long.length);
  pair.start(dialer, tell);
  pair.quiet();
  t.deepEqual([tell.id, tell.done, dialer.session.parts.caller.slots.size], [0, false, SLOTS]);
  const [served] = acceptor.take();
  served!.carrier.respond(served!, new Uint8Array(1));
  pair.quiet();
  t.true(asked.done && tell.done);
  t.is(acceptor.take().length, 1);
  t.is(acceptor.ending, undefined);
});

test('nothing is written while the connection keeps a batch, even if a waiting call filled that batch', (t) => {
  const pair = new Pair([protocol], {
    limits: { ...SMALL, outbound: { messages: 1, bytes: 64 * 1024 } },
  }).open();
  const { dialer, acceptor } = pair;
  const { batch } = dialer.session.parts;
  const tell = (size: number) => {
    const call = callOf('tell', size);
    pair.start(dialer, call);
    return call;
  };
  tell(SMALL.packet); // This exhausts the account.
  pair.quiet();
  const calls = [tell(1), tell(2), tell(3), tell(4)];
  const taken = acceptor.take();
  acceptor.session.parts.channels.get(protocol.channel).inbox.pay();
  pair.tick(acceptor);
  while (pair.move(acceptor));
  batch.pacer.read(0, 1, 1);
  dialer.stuck = true;
  t.notThrows(() => pair.tick(dialer));
  dialer.drain();
  pair.quiet();
  for (const call of calls) t.true(call.done);
  t.deepEqual(
    [...taken, ...acceptor.take()].map((call) => call.payload.length),
    [SMALL.packet, 1, 2, 3, 4],
  );
});

test('a peer that sends a part of an item before the request has left holds no memory once the call is given up', (t) => {
  const pair = new Pair([protocol]).open();
  const { dialer } = pair;
  pair.quiet();
  const tell = callOf('tell');
  dialer.stuck = true;
  pair.start(dialer, tell);
  pair.tick(dialer);
  const get = callOf('get');
  pair.start(dialer, get);
  t.is(get.writtenIn, 0, 'it waits behind what the connection keeps');
  const item = { kind: Kind.ITEM, id: get.id, size: SMALL.packet * 3 };
  const first = encoded((encoder) => writeMessage(encoder, item, long, 0, SMALL.packet));
  dialer.session.receive(pair.now, first);
  t.true(dialer.memory.used > SMALL.packet);
  get.giveUp('cancelled');
  dialer.drain();
  pair.quiet();
  t.is(dialer.memory.used, 0);
});

test('a call that waits for the end of another expires with it, when both have the same deadline', (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, streams: 1 } }).open();
  const calls = Array.from({ length: 3 }, () => callOf('get'));
  pair.acceptor.stuck = true;
  pair.start(pair.acceptor, callOf('tell'));
  pair.tick(pair.acceptor);
  for (const call of calls) {
    call.due = pair.now + 50;
    pair.start(pair.acceptor, call);
  }
  pair.pass(50);
  for (const call of calls) t.is(call.error?.code, 'deadline_exceeded');
});

test('a call that is canceled before a reader came is not looked at again while its reply waits', (t) => {
  const pair = new Pair([protocol], { limits: SMALL }).open();
  const { acceptor } = pair;
  // The first answer waits in the stream, so the next ones wait in the outbox.
  const [first, second] = [callOf('ask'), callOf('ask')];
  pair.start(pair.dialer, first);
  pair.start(pair.dialer, second);
  pair.quiet();
  const [answered, unserved] = acceptor.take();
  unserved!.refuseBy(pair.now + 1_000);
  unserved!.carrier.expires(unserved!, unserved!.refuseAt);
  answered!.run(HANDLER);
  acceptor.stuck = true;
  answered!.carrier.respond(answered!, new Uint8Array(1));
  pair.tick(acceptor);
  second.giveUp('cancelled');
  pair.tick(pair.dialer);
  pair.move(pair.dialer);
  t.false(unserved!.open);
  pair.now += 1_001;
  t.true(acceptor.session.wake(pair.now) > pair.now);
});

test('a CANCEL replaces an answer that waits for the stream, so the call gets one terminal', (t) => {
  const pair = new Pair([protocol], { limits: SMALL }).open();
  const { dialer, acceptor } = pair;
  const [first, second] = [callOf('ask'), callOf('ask')];
  pair.start(dialer, first);
  pair.start(dialer, second);
  pair.quiet();
  const calls = acceptor.take();
  acceptor.stuck = true;
  for (const call of calls) {
    call.run(HANDLER);
    call.carrier.respond(call, new Uint8Array(1));
    pair.tick(acceptor);
  }
  second.giveUp('cancelled');
  pair.tick(dialer);
  pair.move(dialer);
  acceptor.drain();
  pair.quiet();
  t.is(first.answer?.length, 1);
  t.deepEqual([dialer.count('lateReply'), dialer.count('unknownAnswer')], [1, 0]);
});

test('a long trySend of an ordered protocol does not overtake calls that wait', (t) => {
  const ordered = protocols[1]!;
  const pair = new Pair([ordered], { limits: { ...SMALL, calls: 1 } }).open();
  const { dialer, acceptor } = pair;
  const call = () => new TestCall(ordered, 'ask', new Uint8Array(1));
  for (const each of [call(), call()]) pair.start(dialer, each);
  pair.quiet();
  t.is(acceptor.take().length, 1);
  const { caller } = dialer.session.parts;
  t.false(caller.trySend(methodTable(ordered).byName.get('tell')!, long));
});

test('callers that wait until a connection is writable each get an error of their own', async (t) => {
  const pair = new Pair([protocol]).open();
  const { session } = pair.dialer;
  session.parts.channels.get(protocol.channel).lanes.credit = 0;
  const waits = [1, 2].map(() => session.whenWritable(protocol.channel, 'a'));
  pair.cut();
  const [first, second] = await Promise.all(waits.map((wait) => t.throwsAsync(wait)));
  t.like(first, { code: 'unavailable', sent: false });
  t.not(first, second);
});

/**
 * Creates a dialer without credit: two long requests and a one-way of `size` bytes wait for credit.
 */
function withoutCredit(size: number, due = Number.POSITIVE_INFINITY) {
  const credit = { ...SMALL.credit, inbox: 20_000 };
  const pair = new Pair(protocols, { limits: { ...SMALL, credit } }).open();
  const { dialer, acceptor } = pair;
  dialer.stuck = true;
  const start = (name: 'ask' | 'tell', length: number, end: number) => {
    const call = callOf(name, length);
    call.due = end;
    pair.start(dialer, call);
    return call;
  };
  start('tell', 3_000, Number.POSITIVE_INFINITY);
  for (let nth = 0; nth < 2; nth++) start('ask', 15_000, due);
  const tell = start('tell', size, due);
  const arrived = () => {
    dialer.drain();
    pair.quiet();
    return acceptor.calls.filter(({ method }) => method.name === 'tell').length;
  };
  return { pair, dialer, tell, arrived };
}

test('a one-way is not sent after its deadline, even if a request that expires at the same time frees its credit', (t) => {
  const { pair, tell, arrived } = withoutCredit(3_000, 1_100);
  pair.pass(200);
  t.is(tell.error?.code, 'deadline_exceeded');
  t.is(arrived(), 1);
});

test('a one-way that is accepted while the transport closes is sent', (t) => {
  const { dialer, tell, arrived } = withoutCredit(15_000);
  dialer.session.shut(500);
  t.deepEqual([tell.done, tell.error], [true, undefined]);
  t.is(arrived(), 2);
});

test('a call that ends because the peer granted too much credit is not told that its items were taken', (t) => {
  const pair = new Pair(protocols).open();
  const call = callOf('give');
  let taken = 0;
  call.taken = () => void taken++;
  pair.start(pair.dialer, call);
  pair.quiet();
  const frame = encoded((encoder) => encoder.credit(Account.STREAM, 0x7fff_ffff, call.id, 0, 0));
  pair.dialer.session.receive(pair.now, frame);
  t.true(call.done);
  t.is(taken, 0);
});

test('a call whose answer began before it was sent can be answered by another connection', (t) => {
  const pair = new Pair([protocol]).open();
  pair.dialer.stuck = true;
  // The connection keeps a batch with the first call, so the second stays in the next batch.
  pair.start(pair.dialer, callOf('ask'));
  pair.tick(pair.dialer);
  const call = callOf('ask');
  pair.start(pair.dialer, call);
  const { packet } = SMALL;
  const early = encoded((encoder) =>
    writeMessage(
      encoder,
      { kind: Kind.RESPONSE, id: call.id, size: 2 * packet },
      new Uint8Array(packet),
    ),
  );
  pair.dialer.session.receive(pair.now, early);
  pair.cut();
  t.deepEqual(pair.dialer.ending!.unsent, [call]);
  const other = new Pair([protocol]).open();
  other.start(other.dialer, call);
  other.quiet();
  const [served] = other.acceptor.take();
  served!.run(HANDLER);
  served!.carrier.respond(served!, long);
  served!.handled();
  other.quiet();
  t.is(call.answer?.length, long.length);
  t.is(other.dialer.ending, undefined);
});

test('when a one-way that waits for credit is given up, the request behind it is sent at once', (t) => {
  const pair = new Pair([protocol]).open();
  const { dialer, acceptor } = pair;
  const channel = dialer.session.parts.channels.get(protocol.channel);
  while (channel.lanes.hasCredit) pair.start(dialer, callOf('tell', SMALL.packet));
  const [oneway, request] = [callOf('tell'), callOf('ask')];
  pair.start(dialer, oneway);
  pair.start(dialer, request);
  pair.quiet();
  t.is(request.writtenIn, 0);
  oneway.giveUp('cancelled');
  pair.quiet();
  t.not(request.writtenIn, 0);
  t.is(acceptor.ending, undefined);
});

test('when a call that waits for room is given up, the one-way and the writer behind it go on at once', async (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: 1 } }).open();
  const { dialer } = pair;
  const [asked, waiting, oneway] = [callOf('ask'), callOf('ask'), callOf('tell')];
  for (const call of [asked, waiting, oneway]) pair.start(dialer, call);
  const writable = dialer.session.whenWritable(protocol.channel, 'peer');
  pair.quiet();
  t.false(oneway.done);
  waiting.giveUp('cancelled');
  pair.quiet();
  t.true(oneway.done);
  await t.notThrowsAsync(writable);
});

test('a caller waits for room for the long message that trySend refused, and the next one for a packet', async (t) => {
  const limits = { ...SMALL, outbound: { messages: 100, bytes: 2 * long.length } };
  const pair = new Pair([protocol], { limits }).open();
  const { session } = pair.dialer;
  const tell = methodTable(protocol).byName.get('tell')!;
  const trySend = () => session.parts.caller.trySend(tell, long);
  while (trySend());
  let isReady = false;
  const ready = session.whenWritable(protocol.channel, 'peer').then(() => {
    isReady = true;
  });
  await session.whenWritable(protocol.channel, 'peer');
  t.false(isReady);
  pair.quiet();
  await ready;
  t.true(trySend());
});

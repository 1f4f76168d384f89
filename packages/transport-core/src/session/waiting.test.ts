// Tests calls that wait in the lanes of their channel, and when they begin.

import test from 'ava';
import { Kind } from '../wire/frame.ts';
import { encoded, writeMessage } from '../wire/testing/frames.ts';
import { Pair, SMALL } from './testing/pair.ts';
import { callOf, protocol } from './testing/stamped-calls.ts';

const long = new Uint8Array(SMALL.packet * 4);

test('a long one-way that waits for the pipe behind an item is sent after the item has left', (t) => {
  const pair = new Pair([protocol]).open();
  const { dialer, acceptor } = pair;
  pair.start(dialer, callOf('get'));
  pair.quiet();
  const [served] = acceptor.take();
  served!.carrier.started(served!);
  acceptor.session.parts.outbox.open({ pipe: 0 });
  served!.download!.write(new Uint8Array(100)).catch(() => {});
  const tell = callOf('tell', long.length);
  pair.start(acceptor, tell);
  pair.quiet();
  t.false(tell.done);
  acceptor.session.parts.outbox.grant(SMALL.credit.pipe);
  pair.quiet();
  t.true(tell.done);
  t.is(tell.error, undefined);
  t.is(dialer.take().length, 1);
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
  dialer.drain(pair.now);
  pair.quiet();
  for (const call of calls) t.true(call.done);
  t.deepEqual(
    [...taken, ...acceptor.take()].map((call) => call.payload.length),
    [SMALL.packet, 1, 2, 3, 4],
  );
});

test('an item of a call whose request has not begun is an answer to no call, and holds no memory', (t) => {
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
  const item = { kind: Kind.ITEM, id: 1, size: SMALL.packet * 3 };
  const first = encoded((encoder) => writeMessage(encoder, item, long, 0, SMALL.packet));
  dialer.session.receive(pair.now, first);
  t.is(dialer.count('unknownAnswer'), 1);
  get.giveUp('cancelled');
  dialer.drain(pair.now);
  pair.quiet();
  t.is(dialer.memory.used, 0);
});

test('trySend returns false while a call of its channel waits for the end of another', (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: 1 } }).open();
  const { dialer, acceptor } = pair;
  const { caller } = dialer.session.parts;
  const [first, second] = [callOf('ask'), callOf('ask')];
  const tell = () => caller.trySend(protocol.channel, callOf('tell').method, new Uint8Array(1));
  pair.start(dialer, first);
  t.true(tell());
  pair.start(dialer, second);
  t.false(tell());
  pair.quiet();
  const [served] = acceptor.take();
  served!.carrier.respond(served!, new Uint8Array(1));
  pair.quiet();
  t.true(first.done);
  t.not(second.writtenIn, 0);
  t.true(tell());
});

test('trySend returns false behind a request that may begin only after another', (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: 1 } }).open();
  const { dialer } = pair;
  const { caller } = dialer.session.parts;
  const { channel } = protocol;
  const trySend = (size: number) =>
    caller.trySend(channel, callOf('tell').method, new Uint8Array(size));
  dialer.stuck = true;
  pair.start(dialer, callOf('tell'));
  pair.tick(dialer);
  pair.start(dialer, callOf('ask'));
  t.true(trySend(1), 'the first request may begin');
  pair.start(dialer, callOf('ask'));
  t.false(trySend(1));
  t.true(trySend(long.length), 'no request waits in its lane');
  pair.start(dialer, callOf('ask', long.length));
  t.false(trySend(long.length));
  dialer.drain(pair.now);
  pair.quiet();
  t.false(caller.writable(dialer.session.parts.channels.get(channel)));
});

test('a call that waits for the end of another is sent in the tick in which the other ends', (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: 1 } }).open();
  const { dialer, acceptor } = pair;
  const [first, second] = [callOf('ask'), callOf('ask')];
  for (const call of [first, second]) pair.start(dialer, call);
  pair.quiet();
  const [served] = acceptor.take();
  served!.carrier.respond(served!, new Uint8Array(1));
  pair.quiet();
  t.true(first.done);
  t.true(second.sent);
});

test('when a one-way that waits for credit is given up, the request behind it is sent', (t) => {
  const pair = new Pair([protocol], {
    limits: { ...SMALL, credit: { ...SMALL.credit, inbox: 1 } },
  }).open();
  const { dialer, acceptor } = pair;
  const [first, second, ask] = [callOf('tell'), callOf('tell'), callOf('ask')];
  for (const call of [first, second, ask]) pair.start(dialer, call);
  pair.quiet();
  t.deepEqual([first.done, second.done, ask.sent], [true, false, false]);
  second.giveUp('cancelled');
  pair.quiet();
  t.true(ask.sent);
  t.is(acceptor.calls.length, 2);
});

test('when a transport closes, one-ways that wait are sent as far as the credit reaches, and all else that waits fails', (t) => {
  const pair = new Pair([protocol], {
    limits: { ...SMALL, credit: { ...SMALL.credit, inbox: 1_026 } },
  }).open();
  const { dialer, acceptor } = pair;
  dialer.stuck = true;
  pair.start(dialer, callOf('ask'));
  pair.tick(dialer);
  const names = ['tell', 'tell', 'ask', 'tell', 'get'] as const;
  const calls = names.map((name) => callOf(name));
  for (const call of calls) pair.start(dialer, call);
  dialer.session.shut(500);
  const failed = calls.map(({ error }) => error?.sent);
  t.deepEqual(failed, [undefined, undefined, false, false, false]);
  dialer.drain(pair.now);
  pair.quiet();
  t.deepEqual([calls[0]!.done, calls[1]!.done], [true, true]);
  t.is(acceptor.calls.length, 3);
});

test('writable resolves when the call that waits before it is given up', async (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: 1 } }).open();
  const { dialer } = pair;
  const [first, second] = [callOf('ask'), callOf('ask')];
  for (const call of [first, second]) pair.start(dialer, call);
  pair.quiet();
  const room = dialer.session.whenWritable(protocol.channel, 'peer');
  pair.quiet();
  second.giveUp('cancelled');
  t.true(dialer.isDirty);
  pair.quiet();
  await t.notThrowsAsync(room);
});

test('a one-way behind a call that waits for the end of another does not keep a long one-way from the credit', (t) => {
  const pair = new Pair([protocol], {
    limits: { ...SMALL, calls: 1, credit: { ...SMALL.credit, inbox: 2_000 } },
  }).open();
  const { dialer } = pair;
  const names = ['ask', 'ask', 'tell'] as const;
  for (const name of names) pair.start(dialer, callOf(name));
  const tell = callOf('tell', long.length);
  pair.start(dialer, tell);
  pair.quiet();
  t.true(tell.done);
});

test('an end that leaves keeps the order of short calls that it sends elsewhere', (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: 1 } }).open();
  const { dialer } = pair;
  const [, second, tell] = (['ask', 'ask', 'tell'] as const).map((name) => {
    const call = callOf(name);
    pair.start(dialer, call);
    return call;
  });
  dialer.session.leave('disconnected', 'bye');
  t.deepEqual(dialer.left, [second, tell]);
});

test('a connection with any number of waiting calls can break', (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: 1 } }).open();
  const waiting = 150_000;
  for (let i = 0; i <= waiting; i++) pair.start(pair.dialer, callOf('ask'));
  pair.dialer.session.closed(undefined);
  t.is(pair.dialer.ending!.unsent.length, waiting);
});

test('a streaming call that fails for lack of memory takes no place', (t) => {
  const pair = new Pair([protocol], {
    limits: { ...SMALL, streams: 1, outbound: { messages: 1, bytes: 1_000 } },
  }).open();
  const { dialer } = pair;
  dialer.stuck = true;
  for (let i = 0; i < 3; i++) pair.start(dialer, callOf('ask'));
  const [failing, next] = [callOf('get'), callOf('get')];
  dialer.memory.hold(dialer.memory.limit);
  pair.start(dialer, failing);
  t.like(failing.error, { code: 'resource_exhausted', sent: false });
  dialer.memory.hold(-dialer.memory.limit);
  pair.start(dialer, next);
  dialer.drain(pair.now);
  pair.quiet();
  t.true(next.opened);
});

test('a one-way settles when its last packet was written, not when its first one was', (t) => {
  const pair = new Pair([protocol], {
    limits: { ...SMALL, credit: { ...SMALL.credit, pipe: 1, pipeMax: 1 } },
  }).open();
  const { dialer } = pair;
  const tell = callOf('tell', long.length);
  pair.start(dialer, tell);
  pair.tick(dialer);
  t.true(tell.unit!.begun);
  t.false(tell.done);
  pair.quiet();
  t.true(tell.done);
});

/**
 * Makes a dialer whose batch refers to the memory of a one-way and is full: the next request of a
 * packet makes it leave, after which the one-way settles.
 */
function fullBatch() {
  const packet = 64 * 1024;
  const credit = { ...SMALL.credit, inbox: 1024 * 1024 };
  const pair = new Pair([protocol], { limits: { ...SMALL, packet, credit } }).open();
  const { dialer } = pair;
  dialer.session.parts.batch.pacer.readsOn();
  const tell = callOf('tell', packet);
  const first = callOf('ask', packet / 2);
  const second = callOf('ask', packet);
  pair.start(dialer, tell);
  pair.start(dialer, first);
  return { pair, dialer, tell, first, second };
}

test('a call settles even if the program ends the connection while the call is being started', (t) => {
  const { pair, dialer, tell, first, second } = fullBatch();
  const end = () => dialer.session.closed(undefined);
  Object.assign(tell, { accepted: end });
  pair.start(dialer, second);
  pair.tick(dialer);
  t.is(dialer.endings, 1);
  for (const call of [first, second])
    t.true(call.settlements === 1 || dialer.ending!.unsent.includes(call));
});

test('no one-way settles while a call is being started', (t) => {
  const { pair, dialer, tell, second } = fullBatch();
  pair.start(dialer, second);
  t.true(dialer.sent.length > 0, 'the batch has left');
  t.false(tell.done);
  pair.tick(dialer);
  t.true(tell.done);
});

test('all calls that are due expire, even if the end of one makes the program end others', (t) => {
  const pair = new Pair([protocol], { limits: { ...SMALL, calls: 1 } }).open();
  const { dialer } = pair;
  const calls = Array.from({ length: 5 }, () => callOf('ask'));
  for (const call of calls.slice(1)) call.due = pair.now + 100;
  for (const call of calls) pair.start(dialer, call);
  const expired = calls[1]!.expired;
  Object.assign(calls[1]!, {
    expired() {
      calls[2]!.giveUp('cancelled');
      expired.call(calls[1]!);
    },
  });
  pair.quiet();
  pair.pass(100);
  const codes = calls.map(({ error }) => error?.code);
  const due = 'deadline_exceeded';
  t.deepEqual(codes, [undefined, due, 'cancelled', due, due]);
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

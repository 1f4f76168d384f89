// Tests which chunks a session no longer needs after reading them. `hand` overwrites these chunks,
// so the test notices if a payload still shares their memory.

import test from 'ava';
import { Pair, SMALL } from './testing/pair.ts';
import { protocol } from './testing/stamped-calls.ts';
import { TestCall } from './testing/test-call.ts';

const KIB = 1024;
const limits = {
  ...SMALL,
  packet: 64 * KIB,
  inbound: { calls: 100, bytes: KIB * KIB },
  credit: { ...SMALL.credit, pipe: KIB * KIB, inbox: KIB * KIB },
};
const message = (size: number) =>
  Uint8Array.from({ length: size }, (_, at) => (at * 7 + size) % 251);

/**
 * Sends requests of these sizes, in order, in chunks of at most `most` bytes. Returns a flag for
 * each chunk (true if the session was done with it), and a flag that is true if all requests
 * arrived unchanged.
 */
function told(sizes: readonly number[], most: number): { done: boolean[]; arrived: boolean } {
  const pair = new Pair([protocol], { limits }).open();
  const { dialer, acceptor } = pair;
  for (const size of sizes) pair.start(dialer, new TestCall(protocol, 'ask', message(size)));
  pair.tick(dialer);
  const stream = Buffer.concat(dialer.sent.splice(0));
  const done: boolean[] = [];
  for (let at = 0; at < stream.length; at += most)
    done.push(pair.hand(dialer, Uint8Array.from(stream.subarray(at, at + most))));
  const requests = acceptor.calls.map((call) => Buffer.from(call.payload));
  return {
    done,
    arrived:
      requests.length === sizes.length &&
      requests.every((request, n) => request.equals(message(sizes[n]!))),
  };
}

test('small messages are copied, so the chunk that they came in is free', (t) => {
  t.deepEqual(told(Array(50).fill(KIB), 64 * KIB), { done: [true], arrived: true });
  t.deepEqual(told(Array(50).fill(40), 2 * KIB).arrived, true);
});

test('a message of an eighth of the chunk or more is a part of it', (t) => {
  t.deepEqual(told([KIB, 10 * KIB, 40 * KIB], 64 * KIB), { done: [false], arrived: true });
  t.deepEqual(told([KIB, KIB, 40 * KIB], 64 * KIB), { done: [false], arrived: true });
  t.deepEqual(told([40 * KIB, 0], 64 * KIB), { done: [false], arrived: true });
});

test('a message that straddles chunks has its own memory, and so has a long one', (t) => {
  t.deepEqual(told([60 * KIB], 32 * KIB), { done: [true, true], arrived: true });
  t.deepEqual(told([300 * KIB], 64 * KIB), { done: [true, true, true, true, true], arrived: true });
});

test('a message that straddles into a chunk does not affect the ones that follow in it', (t) => {
  t.deepEqual(told([40 * KIB, 30 * KIB, 20], 50 * KIB), { done: [false, true], arrived: true });
  t.deepEqual(told([60 * KIB, 20 * KIB, 40 * KIB], 50 * KIB), {
    done: [true, false, true],
    arrived: true,
  });
});

test('all messages of a small chunk are parts of it; without any the chunk is free', (t) => {
  t.deepEqual(told([2 * KIB, 2 * KIB], 16 * KIB), { done: [false], arrived: true });
  t.deepEqual(told([300 * KIB], 10 * KIB).done.slice(1, -1), Array(29).fill(true));
});

test('messages in chunks of reused memory are intact, whatever the size of the chunks', (t) => {
  const sizes = [0, 10, 64, 65, 66, 300, 2_048, 10_240, 20_480, 40_960, 65_536, 102_400];
  for (const most of [7, 80, KIB, 16 * KIB, 64 * KIB]) {
    const pair = new Pair([protocol], { limits }).open();
    const { dialer, acceptor } = pair;
    const calls = sizes.map((size) => new TestCall(protocol, 'ask', message(size)));
    for (const call of calls) pair.start(dialer, call);
    while (calls.some((call) => !call.done)) {
      pair.tick(dialer);
      while (pair.move(dialer));
      for (const call of acceptor.take()) acceptor.session.parts.callee.respond(call, call.payload);
      pair.tick(acceptor);
      const stream = Buffer.concat(acceptor.sent.splice(0));
      for (let at = 0; at < stream.length; at += most)
        t.true(pair.hand(acceptor, Uint8Array.from(stream.subarray(at, at + most))));
    }
    for (const [n, call] of calls.entries())
      t.true(
        Buffer.from(call.answer!).equals(message(sizes[n]!)),
        `${sizes[n]} bytes in chunks of ${most}`,
      );
  }
});

test('when a connection is over all its chunks are free', (t) => {
  const pair = new Pair([protocol]).open();
  pair.acceptor.session.closed(undefined);
  t.true(pair.hand(pair.dialer, new Uint8Array(10)));
});

// Tests of the queue for a peer.

import test from 'ava';
import { PeerOutbox } from './peer-outbox.ts';

/** Returns a mount that keeps each message until `leave` is called. */
function heldMount() {
  let sent: (() => void) | undefined;
  const mount = {
    trySend: () => false,
    send: () =>
      new Promise<void>((resolve) => {
        sent = resolve;
      }),
  };
  return { mount, leave: () => sent!() };
}

test('the queue for a peer has room again when its messages have left', async (t) => {
  const { mount, leave } = heldMount();
  const connection = { current: {} };
  const limits = { messages: 10, bytes: 100 };
  const outbox = new PeerOutbox(mount as never, connection as never, limits, () => {});
  const push = () => outbox.put('push', new Uint8Array(60), 60);
  t.deepEqual([push(), push()], [undefined, 'no-room']);
  leave();
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(outbox.waiting, { messages: 0, bytes: 0 });
  t.is(push(), undefined);
});

test('a message that is queued just after the last one has left is sent, too', async (t) => {
  const sent: unknown[] = [];
  let isSent: Promise<void> | undefined;
  const mount = {
    trySend: () => false,
    send: (_: unknown, __: unknown, request: Uint8Array) => {
      sent.push(request[0]);
      isSent ??= new Promise((resolve) => setImmediate(resolve));
      return isSent;
    },
  };
  const limits = { messages: 10, bytes: 100 };
  const outbox = new PeerOutbox(mount as never, { current: {} } as never, limits, () => {});
  outbox.put('push', Uint8Array.of(1), 1);
  // It runs right after the outbox has learned that the message has left.
  await isSent!.then(() => outbox.put('push', Uint8Array.of(2), 1));
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual([sent, outbox.waiting], [[1, 2], { messages: 0, bytes: 0 }]);
});

test('after a notice found no room, the overlay learns when there is room again', async (t) => {
  const { mount, leave } = heldMount();
  const limits = { messages: 1, bytes: 100 };
  let room = 0;
  const outbox = new PeerOutbox(mount as never, { current: {} } as never, limits, () => room++);
  const notice = () => outbox.put('control', new Uint8Array(1), 1);
  t.deepEqual([notice(), notice(), notice(), room], [undefined, 'no-room', 'no-room', 0]);
  leave();
  await new Promise((resolve) => setImmediate(resolve));
  t.is(room, 1);
  t.is(notice(), undefined);
});

test('if the peer disconnects while a message is being sent, that message is lost like the others', async (t) => {
  let fail: ((error: Error) => void) | undefined;
  const mount = {
    trySend: () => false,
    send: () => new Promise<void>((_, reject) => (fail = reject)),
  };
  const connection: { current: object | undefined; refresh(): object | undefined } = {
    current: {},
    refresh: () => connection.current,
  };
  const limits = { messages: 10, bytes: 100 };
  const outbox = new PeerOutbox(mount as never, connection as never, limits, () => {});
  const lost: number[] = [];
  for (const number of [1, 2])
    outbox.put('push', Uint8Array.of(number), 1, () => lost.push(number));
  connection.current = undefined;
  fail!(Object.assign(new Error('disconnected'), { sent: false }));
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(lost, [1, 2]);
});

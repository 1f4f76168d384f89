// Tests of the queue for a peer.

import test from 'ava';
import { PeerOutbox } from './peer-outbox.ts';

/** Creates a queue whose messages are being sent until `leave` is called. */
function held(messages = 10, writable = () => {}) {
  const sent: unknown[] = [];
  let sending: Promise<void> | undefined;
  let end: (error?: Error) => void;
  const mount = {
    trySend: () => false,
    send(_: unknown, __: unknown, [number]: Uint8Array) {
      sent.push(number);
      sending = new Promise((resolve, reject) => {
        end = (error) => (error === undefined ? resolve() : reject(error));
      });
      return sending;
    },
  };
  const connection = { current: {} as object | undefined, refresh: (): unknown => undefined };
  const limits = { messages, bytes: 100 };
  const outbox = new PeerOutbox(mount as never, connection as never, limits, writable);
  /** Ends the sending of a message. `after` runs right after the queue has learned of it. */
  const leave = async (error?: Error, after = () => {}) => {
    end(error);
    await sending!.then(after, () => {});
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { outbox, sent, connection, leave };
}

test('the queue for a peer has room again when its messages have left', async (t) => {
  const { outbox, leave } = held();
  const push = () => outbox.put('push', new Uint8Array(60), 60);
  t.deepEqual([push(), push()], [undefined, 'no-room']);
  await leave();
  t.deepEqual(outbox.waiting, { messages: 0, bytes: 0 });
  t.is(push(), undefined);
});

test('a message that is queued just after the last one has left is sent, too', async (t) => {
  const { outbox, sent, leave } = held();
  outbox.put('push', Uint8Array.of(1), 1);
  await leave(undefined, () => outbox.put('push', Uint8Array.of(2), 1));
  await leave();
  t.deepEqual([sent, outbox.waiting], [[1, 2], { messages: 0, bytes: 0 }]);
});

test('after a notice found no room, the overlay learns when there is room again', async (t) => {
  let room = 0;
  const { outbox, leave } = held(1, () => room++);
  const notice = () => outbox.put('control', new Uint8Array(1), 1);
  t.deepEqual([notice(), notice(), notice(), room], [undefined, 'no-room', 'no-room', 0]);
  await leave();
  t.is(room, 1);
  t.is(notice(), undefined);
});

test('if the peer disconnects while a message is being sent, that message is lost like the others', async (t) => {
  const { outbox, connection, leave } = held();
  const lost: number[] = [];
  for (const number of [1, 2])
    outbox.put('push', Uint8Array.of(number), 1, () => lost.push(number));
  connection.current = undefined;
  await leave(Object.assign(new Error('disconnected'), { sent: false }));
  t.deepEqual(lost, [1, 2]);
});

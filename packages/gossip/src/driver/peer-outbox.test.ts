// Tests of the queue for a peer.

import test from 'ava';
import { PeerOutbox } from './peer-outbox.ts';

test('the queue for a peer has room again when its messages have left', async (t) => {
  let leave: (() => void) | undefined;
  const mount = {
    trySend: () => false,
    send: () =>
      new Promise<void>((resolve) => {
        leave = resolve;
      }),
  };
  const connection = { current: {} };
  const limits = { messages: 10, bytes: 100 };
  const outbox = new PeerOutbox(mount as never, connection as never, limits, () => {});
  const push = () => outbox.push(new Uint8Array(60), undefined);
  t.deepEqual([push(), push()], [undefined, 'no-room']);
  leave!();
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(outbox.waiting, { messages: 0, bytes: 0 });
  t.is(push(), undefined);
});

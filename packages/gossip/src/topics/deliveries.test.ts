// Tests of handing messages to readers, and of the receipts for them.

import { bytes } from '@trunkline/transport-core';
import test from 'ava';
import type { Body } from '../overlay/overlay.ts';
import { decodeReceipt } from '../wire/frame.ts';
import { Deliveries } from './deliveries.ts';
import type { TopicReader } from './reader.ts';
import type { TopicContext } from './topic-context.ts';

const TOPIC = {
  codec: bytes,
  key: { name: 'topic' },
  node: { self: 'me', events: { isRead: false }, reporter: { hearsDeliveries: false } },
} as unknown as TopicContext;

for (const count of [1, 2])
  test(`a cached message is not kept decoded once ${count} of its readers have it`, (t) => {
    const taken: unknown[] = [];
    const deliveries = new Deliveries(TOPIC);
    for (let i = 0; i < count; i++)
      deliveries.addReader({
        codec: bytes,
        offer: (message: unknown) => void taken.push(message),
      } as unknown as TopicReader);
    const payload = Uint8Array.of(1, 2, 3);
    const body: Body = { audience: 'all', nodes: [], payload, message: payload };
    const id = { origin: 'x', epoch: 1, sequence: 1 };
    deliveries.deliver({ kind: 'push', id, hops: 1, payload: body, size: 3 }, 'key', 'a');
    t.deepEqual(taken, Array(count).fill(payload));
    t.is(body.message, undefined);
  });

test('a receipt is sent once, with the outcome of the copy that requested it', (t) => {
  const sent: unknown[] = [];
  const acknowledge = (to: string, receipt: Uint8Array) =>
    sent.push([to, decodeReceipt(receipt)!.verdict]);
  const node = { ...TOPIC.node, members: { acknowledge } };
  const [topic, origin] = ['0'.repeat(64), '1'.repeat(64)];
  const deliveries = new Deliveries({ ...TOPIC, key: { hex: topic }, node } as never);
  const id = { origin, epoch: 1, sequence: 1 };
  deliveries.ask(id, 'a');
  deliveries.repeated(id, 'b');
  t.deepEqual(sent, []);
  deliveries.drop('ignored', id, 'a');
  deliveries.repeated(id, 'a');
  t.deepEqual(sent, [[origin, 'ignored']]);
});

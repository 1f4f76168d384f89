// Tests of the inspection of messages that relays bring.

import { bytes } from '@trunkline/transport-core';
import test from 'ava';
import { SeenMessages } from '../messages/seen-messages.ts';
import type { MessageMeta } from '../types.ts';
import type { Envelope } from '../wire/frame.ts';
import type { Deliveries } from './deliveries.ts';
import { Inspection } from './inspection.ts';
import type { TopicContext } from './topic-context.ts';

test('a relay answers for the publishers that it introduces: beyond its share, their messages are dropped before they are validated', (t) => {
  const seen = new SeenMessages({ retention: 1, originRetention: 1, origins: 4, gaps: 8 });
  const topic = {
    codec: bytes,
    limit: 100,
    overlay: { takesFrom: () => true, passesOn: false },
    look: seen.look.bind(seen),
    note: seen.note.bind(seen),
    node: { self: 'me', clock: { now: () => 0 }, signatures: {}, dueBy: () => {} },
  } as unknown as TopicContext;
  const log: string[] = [];
  const deliveries = {
    drop: (reason: string, { origin }: Envelope['id']) => void log.push(`${origin} ${reason}`),
  } as unknown as Deliveries;
  const inspection = new Inspection(topic, deliveries, () => {}, {
    validateQueue: {},
    validate: (_: Uint8Array, { origin }: MessageMeta) => {
      log.push(`${origin} validated`);
      return 'ignore';
    },
  } as never);
  for (const origin of ['a', 'b']) seen.note({ origin, epoch: 1, sequence: 0 }, 0, 'relay');
  const inspect = (origin: string, from: string) => {
    const id = { origin, epoch: 1, sequence: 1 };
    const body = { audience: 'all', nodes: [], payload: new Uint8Array(1), hops: 2 };
    return inspection.inspect(from, { id, ...body } as unknown as Envelope, 0, true);
  };
  t.false(inspect('c', 'relay'));
  inspect('d', 'another relay');
  t.deepEqual(log, ['c full', 'd validated', 'd ignored']);
});

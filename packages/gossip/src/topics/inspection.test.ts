// Tests of the inspection of messages that relays bring, and of how the peers of a topic share its
// validators.

import { bytes } from '@trunkline/transport-core';
import test from 'ava';
import { SeenMessages } from '../messages/seen-messages.ts';
import type { MessageMeta, MessageVerdict } from '../types.ts';
import type { Envelope } from '../wire/frame.ts';
import type { Deliveries } from './deliveries.ts';
import { Inspection, Validation } from './inspection.ts';
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

/** A validation of one message at a time, which `next` ends, and the fates of its messages. */
function validation(limits: { readonly messages: number; readonly bytes: number }) {
  const options = { timeout: 1_000, atOnce: 1, ...limits };
  const validating = new Validation(options, { now: () => 0 }, () => {});
  const begun: string[] = [];
  const dropped: string[] = [];
  let end: ((verdict: MessageVerdict) => void) | undefined;
  return {
    validating,
    begun,
    dropped,
    send(from: string, name: string, size = 1) {
      const check = {
        from,
        size,
        begin() {
          begun.push(name);
          return new Promise<MessageVerdict>((resolve) => (end = resolve));
        },
        settled: (finding: string) => void (finding === 'overloaded' && dropped.push(name)),
      };
      validating.run(check, 0);
    },
    async next() {
      end!('accept');
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a peer that sends more than is validated loses its own messages, and delays no other', async (t) => {
  const { begun, dropped, send, next } = validation({ messages: 4, bytes: 1_000 });
  for (let message = 0; message < 8; message++) send('eve', `e${message}`);
  send('ada', 'a0');
  send('eve', 'e8');
  send('bob', 'b0');
  t.deepEqual(dropped, ['e5', 'e6', 'e7', 'e4', 'e8', 'e3']);
  for (let turn = 0; turn < 4; turn++) await next();
  t.deepEqual(begun, ['e0', 'e1', 'a0', 'b0', 'e2']);
});

test('so does a peer that sends long messages', (t) => {
  const { dropped, send, validating } = validation({ messages: 100, bytes: 100 });
  send('eve', 'e0');
  send('eve', 'e1', 90);
  for (let message = 0; message < 8; message++) send('ada', `a${message}`, 5);
  t.deepEqual(dropped, ['e1']);
  t.is(validating.waiting, 8);
});

test('messages of one peer keep their order, however many wait', async (t) => {
  const { begun, send, next } = validation({ messages: 5_000, bytes: 10_000 });
  const names = Array.from({ length: 3_000 }, (_, at) => `e${at}`);
  for (const name of names) send('eve', name);
  while (begun.length < names.length) await next();
  t.deepEqual(begun, names);
});

// Tests of incoming messages: their share of the validation, their readers, and their receipts.

import { bytes } from '@trunkline/transport-core';
import test from 'ava';
import { SeenMessages } from '../messages/seen-messages.ts';
import type { Body, OverlayInput } from '../overlay/overlay.ts';
import { Plumtree } from '../plumtree/plumtree.ts';
import type { MessageMeta } from '../types.ts';
import { decodeReceipt, type Envelope } from '../wire/frame.ts';
import { Incoming } from './incoming.ts';
import type { TopicReader } from './reader.ts';

/** Returns the incoming messages of a topic with these parts and this validator. */
function incomingOf(parts: object, node: object = {}, validate?: object): Incoming {
  const topic = {
    codec: bytes,
    key: { name: 'topic', hex: '0'.repeat(64) },
    limit: 100,
    overlay: { takesFrom: () => true, passesOn: true },
    handle: () => {},
    node: {
      self: 'me',
      clock: { now: () => 0 },
      signatures: {},
      dueBy: () => {},
      events: { isRead: false },
      reporter: { hearsDeliveries: false },
      ...node,
    },
    ...parts,
  };
  const limits = { validateTimeout: 1_000, validateAtOnce: 1, validateQueue: {} };
  return new Incoming(topic as never, { ...limits, validate } as never);
}

function envelopeOf(origin: string): Envelope {
  const id = { origin, epoch: 1, sequence: 1 };
  const body = { audience: 'all', nodes: [], payload: Uint8Array.of(1, 2, 3), hops: 2 };
  return { id, ...body } as unknown as Envelope;
}

test('a relay answers for the publishers that it introduces: beyond its share, their messages are dropped before they are validated', (t) => {
  const seen = new SeenMessages({ retention: 1, originRetention: 1, origins: 4, gaps: 8 });
  const log: string[] = [];
  const tell = ({ reason, id }: { reason: string; id: string }) => {
    log.push(`${id.split('.')[2]} ${reason}`);
  };
  const incoming = incomingOf(
    { look: seen.look.bind(seen), note: seen.note.bind(seen) },
    { events: { isRead: true, tell } },
    (_: Uint8Array, { origin }: MessageMeta) => {
      log.push(`${origin} validated`);
      return 'ignore';
    },
  );
  for (const origin of ['a', 'b']) seen.note({ origin, epoch: 1, sequence: 0 }, 0, 'relay');
  t.false(incoming.inspect('relay', envelopeOf('c'), 0, true));
  incoming.inspect('another relay', envelopeOf('d'), 0, true);
  t.deepEqual(log, ['c full', 'd validated', 'd ignored']);
});

test('a message is passed on if only its second copy has room after validation, and the neighbor that sent that copy is gone', async (t) => {
  const seen = new SeenMessages({ retention: 1, originRetention: 1, origins: 4, gaps: 8 });
  const [look, note] = [seen.look.bind(seen), seen.note.bind(seen)];
  const tree = new Plumtree<Body>({ self: 'me', look });
  for (const peer of ['first', 'second', 'third']) tree.handle(0, { type: 'neighbor-up', peer });
  const handle = (now: number, input: OverlayInput) => tree.handle(now, input as never);
  const incoming = incomingOf({ look, note, handle }, {}, async () => 'accept');
  const delivered = new Promise((offer) =>
    incoming.addReader({ codec: bytes, offer } as unknown as TopicReader),
  );
  for (const from of ['first', 'second']) incoming.inspect(from, envelopeOf('c'), 0);
  for (const origin of ['a', 'b']) note({ origin, epoch: 1, sequence: 0 }, 0, 'first');
  tree.handle(0, { type: 'neighbor-down', peer: 'second' });
  await delivered;
  t.is(incoming.dropped.full, 1);
  for (const to of ['first', 'third']) t.like(tree.poll(), { type: 'push', to });
});

test('a message whose validator closes the topic is not delivered', (t) => {
  const incoming = incomingOf({ look: () => 'new', note: () => 'new' }, {}, () => {
    incoming.end();
    return 'accept';
  });
  incoming.inspect('x', envelopeOf('x'), 0);
  t.is(incoming.delivered, 0);
});

for (const count of [1, 2])
  test(`a cached message is not kept decoded once ${count} of its readers have it`, (t) => {
    const taken: unknown[] = [];
    let cached: Body | undefined;
    const handle = (_: number, input: OverlayInput) => {
      if (input.type === 'received' && input.message.kind === 'push')
        cached = input.message.payload;
    };
    const incoming = incomingOf({ look: () => 'new', note: () => 'new', handle });
    for (let i = 0; i < count; i++)
      incoming.addReader({
        codec: bytes,
        offer: (message: unknown) => void taken.push(message),
      } as unknown as TopicReader);
    incoming.inspect('x', envelopeOf('x'), 0);
    t.deepEqual(taken, Array(count).fill(Uint8Array.of(1, 2, 3)));
    t.is(cached!.message, undefined);
  });

test('a receipt is sent once, with the outcome of the copy that requested it', (t) => {
  const sent: unknown[] = [];
  const acknowledge = (to: string, receipt: Uint8Array) =>
    sent.push([to, decodeReceipt(receipt)!.verdict]);
  let verdict = 'seen';
  const parts = { look: () => verdict, note: () => verdict };
  const incoming = incomingOf(parts, { members: { acknowledge } }, () => 'ignore');
  const envelope = envelopeOf('1'.repeat(64));
  incoming.ask(envelope.id, 'a');
  incoming.inspect('b', envelope, 0);
  t.deepEqual(sent, []);
  verdict = 'new';
  incoming.inspect('a', envelope, 0);
  verdict = 'seen';
  incoming.inspect('a', envelope, 0);
  t.deepEqual(sent, [[envelope.id.origin, 'ignored']]);
});

test('the memory of refusals is bounded: the oldest message may be examined again', (t) => {
  const decode = () => {
    throw new Error('no codec takes this');
  };
  const codec = { name: 'none', decode };
  const incoming = incomingOf({ look: () => 'new', codec, misbehaved: () => {} });
  for (let i = 0; i <= 4_096; i++) incoming.inspect(`o${i}`, envelopeOf(`o${i}`), 0);
  t.false(incoming.hasRefused(envelopeOf('o0').id));
  t.true(incoming.hasRefused(envelopeOf('o1').id));
});

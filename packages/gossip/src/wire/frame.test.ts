// Tests that messages, control messages and the messages of relays survive encoding and decoding,
// and that malformed bytes are refused.

import test from 'ava';
import type { Audience, Body, Signature } from '../overlay/overlay.ts';
import type { Control } from '../plumtree/message.ts';
import { topicKey } from '../protocol.ts';
import { idOf } from '../testing/cluster.ts';
import * as wire from './frame.ts';

const topic = topicKey('news');
const { hex } = topic;
const id = { origin: idOf('a'), epoch: 2 ** 48 - 1, sequence: 1_234_567_890_123 };

function signatureOf(keyLength: number): Signature {
  return { publicKey: new Uint8Array(keyLength).fill(7), bytes: new Uint8Array(64).fill(9) };
}

const LISTED: Body = {
  audience: 'to',
  nodes: [idOf('b'), idOf('c')],
  payload: Uint8Array.of(7),
  message: undefined,
  signature: signatureOf(44),
};

function encode(payload: Body, hops: number): Uint8Array {
  const { length: size } = payload.payload;
  return wire.encodePush(topic.bytes, { kind: 'push', id, hops, payload, size });
}

test('messages for all, for some and for all but some are decoded as encoded, signed or not', (t) => {
  const lists: [Audience, string[]][] = [
    ['all', []],
    ['to', [idOf('b'), idOf('c')]],
    ['except', [idOf('d')]],
  ];
  const signatures = [undefined, ...[44, 91, 0, 255].map(signatureOf)];
  for (const [audience, nodes] of lists) {
    for (const payload of [new Uint8Array(), Uint8Array.of(1, 2, 3)]) {
      for (const signature of signatures) {
        const body = { audience, nodes, payload, message: undefined, signature };
        const frames = [false, true].map((receipt) => encode({ ...body, receipt }, 0xffff));
        t.is(frames[0]!.length, frames[1]!.length);
        const read = { topic: hex, id, hops: 0xffff, ...body, frame: undefined };
        t.deepEqual(wire.decodePush(frames[0]!), { ...read, isAsked: false });
        t.deepEqual(wire.decodePush(frames[1]!), { ...read, isAsked: true });
      }
    }
  }
});

test('a message is encoded once for all its receivers; for the next hop only its hops differ', (t) => {
  const body: Body = { ...LISTED };
  const first = encode(body, 1);
  t.is(encode(body, 1), first);
  const { audience, nodes, payload, signature } = wire.decodePush(first)!;
  const forwarded = { audience, nodes, payload, message: 'x', signature };
  for (const next of [encode(body, 2), encode(forwarded, 2)]) {
    const changed = [...next.keys()].filter((i) => next[i] !== first[i]);
    t.deepEqual([changed, first[34], next[34]], [[34], 1, 2]);
  }
});

test('a frame cut anywhere before its payload is invalid', (t) => {
  const bytes = encode({ ...LISTED }, 1);
  for (let length = 0; length < bytes.length - 1; length++)
    t.is(wire.decodePush(bytes.subarray(0, length)), undefined, `${length}`);
  t.is(wire.decodePush(bytes.subarray(0, -1))!.payload.length, 0);
  t.is(wire.decodePush(new Uint8Array(78)), undefined);
  t.is(wire.decodePush(new Uint8Array(79))!.payload.length, 0, 'the shortest frame');
});

test('control messages of every kind are decoded as encoded', (t) => {
  const other = { ...id, sequence: 0 };
  const controls: Control[] = [
    { kind: 'ihave', notices: [id, other].map((id, hops) => ({ id, hops })) },
    { kind: 'ihave', notices: [] },
    { kind: 'graft', ids: [id, other] },
    { kind: 'prune' },
    { kind: 'absent', ids: [other] },
  ];
  for (const control of controls) {
    const bytes = wire.encodeControl(topic.bytes, control);
    t.deepEqual(wire.decodeControl(bytes), { topic: hex, control });
  }
});

test('relay frames are decoded as they were encoded', (t) => {
  for (const rest of [[], [idOf('b')], [idOf('b'), idOf('c')]]) {
    const head = { topic: hex, id, hops: 3, size: 66_000_000, rest };
    t.deepEqual(wire.decodeHead(wire.encodeHead(head)), head);
    for (const outcome of ['took', 'had', 'busy'] as const) {
      const report = { outcome, missed: rest };
      t.deepEqual(wire.decodeReport(wire.encodeReport(report)), report);
    }
  }
  t.deepEqual(wire.decodeReceipt(wire.encodeReceipt({ topic: hex, id })), { topic: hex, id });
  for (const verdict of ['took', 'not-on-topic', 'rejected', 'old', 'no-room'] as const) {
    const receipt = { topic: hex, id, verdict };
    t.deepEqual(wire.decodeReceipt(wire.encodeReceipt(receipt)), receipt);
  }
  const numberOf = (verdict: wire.DeliveryOutcome) =>
    wire.encodeReceipt({ topic: hex, id, verdict }).at(-1);
  const verdicts = ['took', 'not-on-topic', 'forged', 'refused', 'no-room', 'unverified'] as const;
  t.deepEqual(verdicts.map(numberOf), [0, 1, 4, 12, 17, 18]);
  const unknown = wire.encodeReceipt({ topic: hex, id, verdict: 'took' });
  unknown[76] = 0xff;
  t.is(wire.decodeReceipt(unknown)?.verdict, 'refused');
});

test('heads, reports and receipts of a wrong length, with too many nodes or with one twice are invalid', (t) => {
  const headOf = (rest: string[]) => wire.encodeHead({ topic: hex, id, hops: 1, size: 1, rest });
  const head = headOf([idOf('b')]);
  for (const length of [0, 1, 76, 81, 83, head.length - 1])
    t.is(wire.decodeHead(head.subarray(0, length)), undefined, `${length}`);
  t.is(wire.decodeHead(headOf([idOf('b'), idOf('b')])), undefined);
  const many = Array.from({ length: 1_025 }, (_, i) => idOf(`n${i}`));
  t.is(wire.decodeHead(headOf(many)), undefined);
  t.is(wire.decodeHead(headOf(many.slice(1)))?.rest.length, 1_024);
  for (const report of [[], [3], [0, 0]])
    t.is(wire.decodeReport(Uint8Array.from(report)), undefined);
  for (const length of [0, 75, 78]) t.is(wire.decodeReceipt(new Uint8Array(length)), undefined);
});

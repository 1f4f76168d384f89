// Tests that messages and control messages survive encoding and decoding, and that malformed bytes
// are refused.

import { bytesToHex } from '@noble/hashes/utils.js';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { Audience, Signature } from '../overlay/overlay.ts';
import type { Control } from '../plumtree/message.ts';
import { idOf } from '../testing/cluster.ts';
import { topicKey } from '../topics/topic-key.ts';
import { decodeControl, decodePush, encodeControl, encodePush } from './frame.ts';

const topic = topicKey('news');
const id = { origin: idOf('a'), epoch: 2 ** 48 - 1, sequence: 1_234_567_890_123 };

function signatureOf(keyLength: number): Signature {
  return { publicKey: new Uint8Array(keyLength).fill(7), bytes: new Uint8Array(64).fill(9) };
}

test('messages for all, for some and for all but some are decoded as encoded, signed or not', (t) => {
  const lists: [Audience, string[]][] = [
    ['all', []],
    ['to', [idOf('b'), idOf('c')]],
    ['except', [idOf('d')]],
  ];
  for (const [audience, nodes] of lists) {
    for (const payload of [new Uint8Array(), Uint8Array.of(1, 2, 3)]) {
      for (const signature of [
        undefined,
        signatureOf(44),
        signatureOf(91),
        signatureOf(0),
        signatureOf(255),
      ]) {
        const body = { audience, nodes, payload, message: undefined, signature };
        const bytes = encodePush(topic.bytes, {
          kind: 'push',
          id,
          hops: 0xffff,
          payload: { ...body },
          size: payload.length,
        });
        t.deepEqual(decodePush(bytes), {
          topic: topic.hex,
          id,
          hops: 0xffff,
          isAsked: false,
          ...body,
          frame: undefined,
        });
        const asked = encodePush(topic.bytes, {
          kind: 'push',
          id,
          hops: 1,
          payload: { ...body, receipt: true },
          size: payload.length,
        });
        t.deepEqual(decodePush(asked), {
          topic: topic.hex,
          id,
          hops: 1,
          isAsked: true,
          ...body,
          frame: undefined,
        });
        t.is(asked.length, bytes.length);
      }
    }
  }
});

test('a message is encoded once for all its receivers, and anew for the next hop', (t) => {
  const body = {
    audience: 'all' as const,
    nodes: [],
    payload: Uint8Array.of(7),
    message: undefined,
  };
  const push = { kind: 'push' as const, id, hops: 1, payload: body, size: 1 };
  const first = encodePush(topic.bytes, push);
  t.is(encodePush(topic.bytes, push), first);
  t.is(decodePush(encodePush(topic.bytes, { ...push, hops: 2 }))!.hops, 2);
  t.is(decodePush(first)!.hops, 1);
});

test('a forwarded message differs only in its hops', (t) => {
  const body = {
    audience: 'to' as const,
    nodes: [idOf('b')],
    payload: Uint8Array.of(7),
    message: undefined,
    signature: signatureOf(44),
  };
  const bytes = encodePush(topic.bytes, { kind: 'push', id, hops: 1, payload: body, size: 1 });
  const { hops, audience, nodes, payload, signature } = decodePush(bytes)!;
  const next = encodePush(topic.bytes, {
    kind: 'push',
    id,
    hops: hops + 1,
    payload: { audience, nodes, payload, message: 'x', signature },
    size: 1,
  });
  t.deepEqual(
    [...next.keys()].filter((i) => next[i] !== bytes[i]),
    [34],
  );
});

test('a frame cut anywhere before its payload is invalid', (t) => {
  const body = {
    audience: 'to' as const,
    nodes: [idOf('b'), idOf('c')],
    payload: Uint8Array.of(7),
    message: undefined,
    signature: signatureOf(44),
  };
  const bytes = encodePush(topic.bytes, { kind: 'push', id, hops: 1, payload: body, size: 1 });
  for (let length = 0; length < bytes.length - 1; length++)
    t.is(decodePush(bytes.subarray(0, length)), undefined, `${length}`);
  t.is(decodePush(bytes.subarray(0, -1))!.payload.length, 0);
});

test('control messages of every kind are decoded as encoded', (t) => {
  const other = { ...id, sequence: 0 };
  const controls: Control[] = [
    {
      kind: 'ihave',
      notices: [
        { id, hops: 3 },
        { id: other, hops: 0 },
      ],
    },
    { kind: 'ihave', notices: [] },
    { kind: 'graft', ids: [id, other] },
    { kind: 'prune' },
    { kind: 'absent', ids: [other] },
  ];
  for (const control of controls)
    t.deepEqual(decodeControl(encodeControl(topic.bytes, control)), { topic: topic.hex, control });
});

test('any bytes are either a frame or refused, and never throw', (t) => {
  const random = seededRandom(1);
  let frames = 0;
  let signed = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 300) }, () =>
      Math.floor(random() * 256),
    );
    bytes[0] = Math.floor(random() * 5) | (random() < 0.5 ? 0x80 : 0);
    // Makes the list short, because with a random length, no list would fit the bytes.
    if (bytes.length > 80 && random() < 0.5) bytes.set([0, Math.floor(random() * 3)], 79);
    const push = decodePush(bytes);
    if (push !== undefined) {
      frames++;
      if (push.signature !== undefined) signed++;
      const { id, hops, audience, nodes, payload, signature } = push;
      t.true(nodes.length <= 1_024 && push.topic === bytesToHex(bytes.subarray(1, 33)));
      const again = encodePush(bytes.subarray(1, 33), {
        kind: 'push',
        id,
        hops,
        payload: { audience, nodes, payload, message: undefined, signature },
        size: 0,
      });
      if (!equal(again, bytes)) return t.fail(`${i}: another frame`);
    }
    const control = decodeControl(bytes);
    if (control !== undefined) frames++;
  }
  t.true(frames > 0 && signed > 100);
  t.is(decodePush(new Uint8Array(78)), undefined);
  t.deepEqual(decodePush(new Uint8Array(79))!.payload.length, 0);
});

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

// What crosses comes back as it was; what is no frame is none, whatever it is.

import { bytesToHex } from '@noble/hashes/utils.js';
import { seededRandom } from '@trunkline/transport-core';
import test from 'ava';
import type { Audience } from '../overlay/body.ts';
import type { Control } from '../plumtree/message.ts';
import { idOf } from '../testing/cluster.ts';
import { topicKey } from '../topics/topic-key.ts';
import { decodeControl, decodePush, encodeControl, encodePush } from './frame.ts';

const topic = topicKey('news');
const id = { origin: idOf('a'), epoch: 2 ** 48 - 1, sequence: 1_234_567_890_123 };

test('a message, for all, for some and for all but some', (t) => {
  const lists: [Audience, string[]][] = [
    ['all', []],
    ['to', [idOf('b'), idOf('c')]],
    ['except', [idOf('d')]],
  ];
  for (const [audience, nodes] of lists) {
    for (const payload of [new Uint8Array(), Uint8Array.of(1, 2, 3)]) {
      const body = { audience, nodes, payload, message: undefined };
      const bytes = encodePush(topic.bytes, { kind: 'push', id, hops: 0xffff, payload: body, size: payload.length });
      t.deepEqual(decodePush(bytes), { topic: topic.hex, id, hops: 0xffff, audience, nodes, payload });
    }
  }
});

test('a message is encoded once for all that get it, and anew for the next hop', (t) => {
  const body = { audience: 'all' as const, nodes: [], payload: Uint8Array.of(7), message: undefined };
  const push = { kind: 'push' as const, id, hops: 1, payload: body, size: 1 };
  const first = encodePush(topic.bytes, push);
  t.is(encodePush(topic.bytes, push), first);
  t.is(decodePush(encodePush(topic.bytes, { ...push, hops: 2 }))!.hops, 2);
  t.is(decodePush(first)!.hops, 1);
});

test('control of every kind', (t) => {
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
  for (const control of controls) t.deepEqual(decodeControl(encodeControl(topic.bytes, control)), { topic: topic.hex, control });
});

test('any bytes are a frame or none, and never an error', (t) => {
  const random = seededRandom(1);
  let frames = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256));
    bytes[0] = Math.floor(random() * 5);
    const push = decodePush(bytes);
    if (push !== undefined) {
      frames++;
      t.true(push.nodes.length <= 1_024 && push.payload.length <= bytes.length && push.topic === bytesToHex(bytes.subarray(1, 33)));
    }
    const control = decodeControl(bytes);
    if (control !== undefined) frames++;
  }
  t.true(frames > 0);
  t.is(decodePush(new Uint8Array(78)), undefined);
  t.deepEqual(decodePush(new Uint8Array(79))!.payload.length, 0);
});

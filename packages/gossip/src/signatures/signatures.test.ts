// Tests of the content that a signature covers, and of the reaction to invalid signatures.

import { hexToBytes } from '@noble/hashes/utils.js';
import { type Identity, verifySignature } from '@trunkline/security';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { Body } from '../overlay/overlay.ts';
import { topicKey } from '../protocol.ts';
import { idOf } from '../testing/cluster.ts';
import { identityOf } from '../testing/identities.ts';
import { decodePush, type Envelope, encodePush } from '../wire/frame.ts';
import { FORGERIES, Signatures, signedContent } from './signatures.ts';

const topic = topicKey('news');
const list: Body = {
  audience: 'to',
  nodes: [idOf('b'), idOf('c')],
  payload: Uint8Array.of(1, 2, 3),
  message: undefined,
};

function signed(identity: Identity, body: Body = list): Uint8Array {
  const id = { origin: identity.nodeId, epoch: 7, sequence: 9 };
  const signature = new Signatures(identity.nodeId, { identity }).sign(topic.bytes, id, body);
  return encodePush(topic.bytes, {
    kind: 'push',
    id,
    hops: 3,
    payload: { ...body, signature },
    size: body.payload.length,
  });
}

/**
 * Verifies each forgery in a separate second, so that none is refused because there were too many.
 */
function receiver() {
  const signatures = new Signatures(idOf('z'), { verify: verifySignature });
  let now = 0;
  return (envelope: Envelope, from = 'peer') => {
    now += 1_000;
    const key = hexToBytes(envelope.topic);
    return envelope.signature === undefined
      ? 'unsigned'
      : signatures.examine(from, key, envelope, now);
  };
}

for (const type of ['ed25519', 'p256'] as const) {
  test(`a signature of ${type} is valid, for all, for some, and for an empty message`, (t) => {
    const examine = receiver();
    const identity = identityOf('a', type);
    for (const audience of ['all', 'to', 'except'] as const) {
      for (const payload of [new Uint8Array(), new Uint8Array(100_000).fill(7)]) {
        const nodes = audience === 'all' ? [] : [idOf('b')];
        const body = { audience, nodes, payload, message: undefined };
        t.is(examine(decodePush(signed(identity, body))!), 'true');
      }
    }
  });

  test(`one changed bit makes it invalid, except in the hops and the request for a receipt: ${type}`, (t) => {
    t.timeout(60_000);
    const examine = receiver();
    const frame = signed(identityOf('a', type));
    const outcomes: Record<string, number> = {};
    for (let bit = 0; bit < 8 * frame.length; bit++) {
      const changed = frame.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const envelope = decodePush(changed);
      const outcome = envelope === undefined ? 'no frame' : examine(envelope);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      const isFree = bit >> 3 === 33 || bit >> 3 === 34 || bit === 6;
      if (isFree !== (outcome === 'true')) return t.fail(`bit ${bit}: ${outcome}`);
    }
    // Without the flag that marks it as signed, the message is unsigned.
    t.is(outcomes['unsigned'], 1);
    t.true(outcomes['forged']! > 8 * 200);
  });
}

test('a signature is valid for one topic, one id, one audience and one content', (t) => {
  const examine = receiver();
  const identity = identityOf('a');
  const envelope = decodePush(signed(identity))!;
  t.is(examine(envelope), 'true');
  const others: Partial<Envelope>[] = [
    { topic: topicKey('other').hex },
    { id: { ...envelope.id, sequence: 10 } },
    { id: { ...envelope.id, epoch: 8 } },
    { id: { ...envelope.id, origin: identityOf('b').nodeId } },
    { audience: 'except' },
    { audience: 'all', nodes: [] },
    { nodes: [idOf('b')] },
    { nodes: [idOf('c'), idOf('b')] },
    { payload: Uint8Array.of(1, 2) },
    { signature: decodePush(signed(identityOf('b')))!.signature },
    { signature: { ...envelope.signature!, publicKey: identityOf('b').publicKey } },
    { signature: { ...envelope.signature!, publicKey: identityOf('a', 'p256').publicKey } },
    { signature: { publicKey: new Uint8Array(), bytes: envelope.signature!.bytes } },
    { signature: { ...envelope.signature!, bytes: new Uint8Array(64) } },
  ];
  for (const other of others)
    t.is(examine({ ...envelope, ...other }), 'forged', JSON.stringify(Object.keys(other)));
});

test('a signature of the key for another purpose is not valid for a message', (t) => {
  const identity = identityOf('a');
  const envelope = decodePush(signed(identity))!;
  const content = signedContent(topic.bytes, envelope.id, list);
  const elsewhere = content.slice();
  elsewhere.set(new TextEncoder().encode('trunkline.gossip.v2'));
  for (const [signedBytes, finding] of [
    [elsewhere, 'forged'],
    [content.subarray(20), 'forged'],
    [content, 'true'],
  ] as const) {
    const signature = { publicKey: identity.publicKey, bytes: identity.sign(signedBytes) };
    t.is(receiver()({ ...envelope, signature }), finding);
  }
});

test('no two messages have the same signed bytes: a list cannot pass for a payload', (t) => {
  const id = { origin: idOf('a'), epoch: 1, sequence: 1 };
  const random = seededRandom(1);
  const contents = new Map<string, string>();
  for (let i = 0; i < 3_000; i++) {
    const audience = (['all', 'to', 'except'] as const)[Math.floor(random() * 3)]!;
    const length = audience === 'all' ? 0 : Math.floor(random() * 3);
    const nodes = Array.from({ length }, () => '00'.repeat(31) + (random() < 0.5 ? '00' : '01'));
    const payload = new Uint8Array(Math.floor(random() * 70));
    if (payload.length > 1 && random() < 0.5) payload[1] = Math.floor(random() * 3);
    const said = JSON.stringify([audience, nodes, [...payload]]);
    const content = signedContent(topic.bytes, id, { audience, nodes, payload }).join();
    if ((contents.get(content) ?? said) !== said) return t.fail(said);
    contents.set(content, said);
  }
  t.true(contents.size > 500);
});

test('the verification of a forging peer is limited per second; other peers are not affected', (t) => {
  const signatures = new Signatures(idOf('z'), { verify: verifySignature });
  const good = decodePush(signed(identityOf('a')))!;
  const bad = { ...good, payload: Uint8Array.of(9) };
  const examine = (from: string, envelope: Envelope, now: number) =>
    signatures.examine(from, topic.bytes, envelope, now);
  const findings = Array.from({ length: 1_000 }, (_, i) => examine('forger', bad, i / 2));
  t.deepEqual(new Set(findings.splice(0, FORGERIES)), new Set(['forged']));
  t.deepEqual(new Set(findings), new Set(['refused']));
  t.is(examine('forger', good, 999), 'refused');
  t.is(examine('honest', good, 999), 'true');
  t.is(examine('forger', good, 1_000), 'true', 'the next second');
});

test('a signature is refused if verify throws or returns anything but true', (t) => {
  const envelope = decodePush(signed(identityOf('a')))!;
  const fail = () => {
    throw new Error('the module is gone');
  };
  for (const verify of [fail, async () => true, () => 1]) {
    const signatures = new Signatures(idOf('z'), { verify: verify as never });
    t.is(signatures.examine('peer', topic.bytes, envelope, 0), 'forged');
  }
});

test('a signer must be this node and have a supported key', (t) => {
  const { nodeId, publicKey, sign, verify } = identityOf('a');
  const other = identityOf('b');
  const id = { origin: nodeId, epoch: 1, sequence: 1 };
  for (const [given, message] of [
    [{ nodeId: other.nodeId }, `identity: is node ${other.nodeId}, but peers is node ${nodeId}`],
    [
      { publicKey: other.publicKey },
      `${nodeId} is not the SHA-256 of its publicKey, ${other.nodeId}`,
    ],
    [
      { publicKey: publicKey.subarray(12) },
      'publicKey: must be an Ed25519 or P-256 key as SPKI in DER, got 32 bytes',
    ],
    [{ sign: () => new Uint8Array(63) }, 'sign: must return 64 bytes synchronously, got 63 bytes'],
    [{ sign: async () => new Uint8Array(64) }, 'sign: must return 64 .* synchronously, got object'],
  ] as const) {
    const identity = { nodeId, publicKey, sign, verify, ...given } as Identity;
    t.throws(() => new Signatures(nodeId, { identity }).sign(topic.bytes, id, list), {
      instanceOf: TypeError,
      message: new RegExp(message, 'u'),
    });
  }
});

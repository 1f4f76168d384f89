// Tests the encoding of a proof, to the byte.

import test from 'ava';
import { concat, pattern } from '../testing/bytes.ts';
import { ada } from '../testing/greetings.ts';
import { encodeProof, judgeProof } from './identity-proof.ts';

const [hash, staticKey] = [pattern(32, 1), pattern(32, 2)];
const proof = encodeProof(ada, 'initiator', hash, staticKey);

test('a proof is two lengths, a key and a signature', (t) => {
  t.is(proof.length, 2 + 44 + 2 + 64);
  t.deepEqual([proof[0], proof[1], proof[46], proof[47]], [0, 44, 0, 64]);
  t.deepEqual(judgeProof(proof, 'initiator', hash, staticKey), { nodeId: ada.nodeId });
});

test('a proof is valid only for its handshake', (t) => {
  t.deepEqual(Object.keys(judgeProof(proof, 'responder', hash, staticKey)), ['flaw']);
  t.deepEqual(Object.keys(judgeProof(proof, 'initiator', staticKey, staticKey)), ['flaw']);
  t.deepEqual(Object.keys(judgeProof(proof, 'initiator', hash, hash)), ['flaw']);
});

test('no byte of a proof can be changed, missing or added', (t) => {
  for (let i = 0; i < proof.length; i++) {
    const altered = proof.slice();
    altered[i]! ^= 1;
    t.deepEqual(
      Object.keys(judgeProof(altered, 'initiator', hash, staticKey)),
      ['flaw'],
      `byte ${i}`,
    );
    t.deepEqual(
      Object.keys(judgeProof(proof.subarray(0, i), 'initiator', hash, staticKey)),
      ['flaw'],
      `${i} bytes`,
    );
  }
  t.deepEqual(judgeProof(concat(proof, Uint8Array.of(0)), 'initiator', hash, staticKey), {
    flaw: 'it sent extra bytes after its signature',
  });
});

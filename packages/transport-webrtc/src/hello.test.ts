// Tests of the proof in the first message of a channel.

import { createIdentity } from '@trunkline/security';
import test from 'ava';
import { encodeHello, readHello } from './hello.ts';

const identity = createIdentity();
const fingerprints = { offerer: 'AA:01', answerer: 'BB:02' };
const hello = encodeHello(identity, 'offerer', fingerprints);

test('a proof is valid only for the role of its maker and for both fingerprints', (t) => {
  t.deepEqual(readHello(hello, 'offerer', fingerprints), { nodeId: identity.nodeId });
  for (const [role, others] of [
    ['answerer', {}],
    ['offerer', { offerer: 'AA:03' }],
    ['offerer', { answerer: 'BB:03' }],
    ['offerer', { offerer: 'BB:02', answerer: 'AA:01' }],
  ] as const)
    t.true('flaw' in readHello(hello, role, { ...fingerprints, ...others }));
});

test('a proof that is cut off, or that more bytes follow, is refused', (t) => {
  for (let end = 2; end < hello.length; end++)
    t.true('flaw' in readHello(hello.subarray(0, end), 'offerer', fingerprints));
  t.true('flaw' in readHello(Uint8Array.of(...hello, 0), 'offerer', fingerprints));
});

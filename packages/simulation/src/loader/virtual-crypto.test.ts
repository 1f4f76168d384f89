// Tests of the random numbers of a node.

import test from 'ava';
import { Refusals } from './refusals.ts';
import { virtualCrypto } from './virtual-crypto.ts';

test('randomFillSync fills an ArrayBuffer, too', (t) => {
  const { randomFillSync } = virtualCrypto(
    () => 0.5,
    new Refusals((call) => new Error(call)),
  ) as any;
  const bytes = new Uint8Array(randomFillSync(new ArrayBuffer(4), 1, 2));
  t.deepEqual([...bytes], [0, 128, 128, 0]);
});

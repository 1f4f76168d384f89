// Test of the codec with a size limit.

import test from 'ava';
import { bytes, limited } from './codec.ts';
import { decodeAs, encodeAs } from './message.ts';

test('a message up to the limit passes to the codec; a longer one is refused at both ends without decoding', (t) => {
  let decoded = 0;
  const counting = {
    ...bytes,
    decode: (encoded: Uint8Array) => {
      decoded++;
      return bytes.decode(encoded);
    },
  };
  const codec = limited(counting, 10);
  t.is(codec.name, 'bytes');
  t.is(codec.limit, 10);
  for (const length of [0, 10]) {
    t.is(encodeAs(codec, 'request', new Uint8Array(length)).length, length);
    t.is(decodeAs(codec, 'request', new Uint8Array(length)).length, length);
  }
  for (const use of [
    () => encodeAs(codec, 'request', new Uint8Array(11)),
    () => decodeAs(codec, 'request', new Uint8Array(11)),
  ]) {
    const error = t.throws(use, {
      code: 'resource_exhausted',
      message: /a message of 11 bytes is above the limit of its codec \(bytes\), 10/,
    });
    t.is((error as Error & { reason?: string }).reason, 'too_large');
  }
  t.is(decoded, 2);
});

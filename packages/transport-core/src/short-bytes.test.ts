// Tests the short byte arrays that share memory.

import test from 'ava';
import { copyBytes, encodeText } from './short-bytes.ts';

const long = 'x'.repeat(100);

test('texts and copies are right after a program has transferred their memory', (t) => {
  for (const make of [() => encodeText(long), () => copyBytes(new TextEncoder().encode(long))]) {
    const { buffer } = make();
    structuredClone(null, { transfer: [buffer as ArrayBuffer] });
    t.is(new TextDecoder().decode(make()), long);
    t.is(new TextDecoder().decode(encodeText('é'.repeat(1_000))), 'é'.repeat(1_000));
  }
});

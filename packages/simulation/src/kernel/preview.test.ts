// Tests of short previews of bytes.

import test from 'ava';
import { preview } from './preview.ts';

const of = (text: string) => preview(new TextEncoder().encode(text));

test('text is shown in quotes, also if it is cut off at or within a long character', (t) => {
  t.is(of('role leader'), "'role leader'");
  t.is(preview(new Uint8Array(0)), "''");
  t.is(of(`${'x'.repeat(56)}😀 and more`), `'${'x'.repeat(56)}😀'…`);
  t.is(of(`${'x'.repeat(58)}😀 and more`), `'${'x'.repeat(58)}\uFFFD'…`);
});

test('other bytes are shown in hexadecimal', (t) => {
  t.is(preview(new Uint8Array([0, 255])), '0x00ff');
  t.is(preview(new Uint8Array(31)), `0x${'00'.repeat(30)}…`);
});

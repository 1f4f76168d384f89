// Tests of the bytes codec.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { bytes } from './codec.ts';
import { encodeAs } from './message.ts';

test('bytes are not copied in either direction', (t) => {
  const given = new Uint8Array([1, 2, 3]);
  t.is(bytes.encode(given), given);
  t.is(bytes.decode(given), given);
});

test('a Buffer is accepted, and a plain Uint8Array over the same memory is returned', (t) => {
  const buffer = Buffer.from([1, 2, 3]);
  t.is(bytes.encode(buffer), buffer);
  const out = bytes.decode(buffer);
  t.false(Buffer.isBuffer(out));
  t.is(Object.getPrototypeOf(out), Uint8Array.prototype);
  t.is(out.buffer, buffer.buffer as ArrayBuffer);
  t.deepEqual([...out], [1, 2, 3]);
});

test('any other value is refused with its type', (t) => {
  const refused: [unknown, string][] = [
    ['text', 'a string'],
    [undefined, 'undefined'],
    [[1], 'an array'],
    [new ArrayBuffer(1), 'an ArrayBuffer'],
    [new Uint16Array(1), 'a Uint16Array'],
    [new DataView(new ArrayBuffer(1)), 'a DataView'],
  ];
  for (const [value, kind] of refused) {
    const error = t.throws(() => encodeAs(bytes, 'request', value as Uint8Array));
    t.true(error instanceof TransportError && error.code === 'invalid_argument');
    t.is(error?.message, `request: expected a Uint8Array, got ${kind}`);
  }
});

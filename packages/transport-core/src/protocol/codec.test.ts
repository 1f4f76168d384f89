// Tests of the codecs of bytes, of no content and with a size limit.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { bytes, decodeAs, empty, encodeAs, limited } from './codec.ts';

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

test('no content is zero bytes', (t) => {
  t.is(empty.encode().length, 0);
  t.is(empty.decode(new Uint8Array(0)), undefined);
});

test('any content is refused at both ends', (t) => {
  for (const [value, kind] of [
    [null, 'null'],
    [{}, 'an object'],
    [0, 'a number'],
  ])
    t.throws(() => encodeAs(empty, 'kv/clear response', value as never), {
      code: 'invalid_argument',
      message: `kv/clear response: expected undefined, got ${kind}`,
    });
  t.throws(() => decodeAs(empty, 'kv/clear request', new Uint8Array(2)), {
    code: 'invalid_argument',
    message: 'kv/clear request: expected no content, got 2 bytes',
  });
});

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

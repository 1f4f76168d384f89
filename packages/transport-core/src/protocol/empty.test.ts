// Tests of the codec of no content.

import test from 'ava';
import { empty } from './codec.ts';
import { decodeAs, encodeAs } from './message.ts';

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

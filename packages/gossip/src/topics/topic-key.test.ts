// Tests of topic keys: any name is a topic, and no two names share a key.

import { createHash } from 'node:crypto';
import { isNodeId } from '@trunkline/transport-core/backend';
import test from 'ava';
import { topicKey } from '../protocol.ts';

test('the key of a name is the SHA-256 of its UTF-8', (t) => {
  for (const name of ['news', '', 'ü', '😀', 'a\u0000b']) {
    const { name: kept, hex, bytes } = topicKey(name);
    t.is(hex, createHash('sha256').update(name, 'utf8').digest('hex'));
    t.is(Buffer.from(bytes).toString('hex'), hex);
    t.is(kept, name);
  }
});

test('similar names differ: case, spaces, control characters, and composed or decomposed letters', (t) => {
  const short = ['', ' ', '\u0000', '\u0000\u0000', 'a', 'A', 'a ', 'a\n', 'a\r\n', 'а', '\ufeffa'];
  const words = ['caf\u00e9', 'cafe\u0301', '__proto__', 'constructor'];
  const long = ['x'.repeat(1024 * 1024), 'x'.repeat(1024 * 1024 + 1), '😀'.repeat(300_000)];
  const names = [...short, ...words, ...long];
  const keys = names.map((name) => topicKey(name).hex);
  t.true(keys.every(isNodeId));
  t.is(new Set(keys).size, names.length);
  t.is('cafe\u0301'.normalize(), 'caf\u00e9');
});

test('an unpaired surrogate throws a TypeError, because all of them have the same UTF-8', (t) => {
  const long = `${'x'.repeat(100_000)}\udfff`;
  for (const name of ['\ud800', 'a\udc00b', '😀\ud83d', '\udc00\ud800', long])
    t.throws(() => topicKey(name), { instanceOf: TypeError, message: /surrogate/u });
});

test('32 bytes are used as a key, copied; another number of bytes or another type throws a TypeError', (t) => {
  const given = new Uint8Array(32).fill(0xab);
  const key = topicKey(given);
  given.fill(0);
  t.deepEqual([key.hex, key.name, key.bytes[0]], ['ab'.repeat(32), 'ab'.repeat(32), 0xab]);
  const lengths = [0, 31, 33].map((length) => new Uint8Array(length));
  for (const wrong of [...lengths, 7, null, undefined, {}, ['news'], new ArrayBuffer(32)])
    t.throws(() => topicKey(wrong as never), {
      instanceOf: TypeError,
      message: /gossip\.topic: topic: must be a string or 32 bytes/u,
    });
});

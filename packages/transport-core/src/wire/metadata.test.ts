// Tests of encoding metadata and its limits.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { encodeMetadata, errorFrame } from './metadata.ts';
import { readByProto, writtenByProto } from './testing/proto.ts';

test('metadata is field 11 in protobuf encoding', (t) => {
  const record = { tenant: 'a', traceparent: '00-é😀', '': '', long: 'x'.repeat(5000) };
  const metadata = encodeMetadata(record)!;
  t.deepEqual(readByProto(metadata.bytes), { metadata: record });
  t.deepEqual({ ...metadata.value }, record);
  t.is(
    metadata.size,
    Object.entries(record).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0),
  );
  t.deepEqual(
    metadata.bytes.slice(0, 12),
    writtenByProto({ metadata: { tenant: 'a' } }).slice(0, 12),
  );
});

test('absent metadata is undefined', (t) => {
  t.is(encodeMetadata(undefined), undefined);
  t.is(encodeMetadata({}), undefined);
});

test('metadata is a copy without a prototype', (t) => {
  const record: Record<string, string> = JSON.parse('{"__proto__":"p","a":"b"}');
  const metadata = encodeMetadata(record)!;
  record['a'] = 'changed';
  t.is(Object.getPrototypeOf(metadata.value), null);
  t.deepEqual(Object.entries(metadata.value), [
    ['__proto__', 'p'],
    ['a', 'b'],
  ]);
});

test('lone surrogates are refused in names and values', (t) => {
  for (const record of [{ 'k\ud800': 'v' }, { k: '\udc00v' }] as Record<string, string>[])
    t.throws(() => encodeMetadata(record), {
      instanceOf: TransportError,
      code: 'invalid_argument',
      message: /^metadata\['k.?'\] has a lone surrogate, which is not valid Unicode$/,
    });
  t.deepEqual({ ...encodeMetadata({ fine: '😀' })!.value }, { fine: '😀' });
});

test('metadata is limited to 8 KiB of UTF-8', (t) => {
  t.is(encodeMetadata({ key: `${'é'.repeat(4094)}x` })?.size, 8192);
  const error = t.throws(() => encodeMetadata({ key: 'é'.repeat(4095) }), {
    instanceOf: TransportError,
  });
  t.is(error.code, 'invalid_argument');
  t.is(error.sent, false);
  t.regex(error.message, /8192/);
});

test('metadata of many tiny entries is limited to 15 KiB when encoded', (t) => {
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [i.toString(36), '']));
  t.true(encodeMetadata(entries(1500))!.bytes.length < 15 * 1024);
  t.is(
    t.throws(() => encodeMetadata(entries(2200)), { instanceOf: TransportError }).code,
    'invalid_argument',
  );
});

test('a value that is not a string throws a TypeError', (t) => {
  for (const value of [1, null, undefined, {}, Symbol.iterator]) {
    t.regex(
      t.throws(() => encodeMetadata({ key: value as unknown as string }), { instanceOf: TypeError })
        .message,
      /metadata\['key'\]/,
    );
  }
});

test('an error whose metadata cannot be sent is sent with the reason', (t) => {
  const reasonOf = (metadata: Record<string, unknown>) =>
    errorFrame(
      new TransportError('internal', 'x', { metadata: metadata as Record<string, string> }),
    ).metadata!.value['trunkline-metadata']!;
  t.regex(reasonOf({ 'k\ud800': 'v' }), /^metadata\['k\ufffd'\] has a lone surrogate/);
  t.regex(reasonOf({ ['k'.repeat(9_000)]: 5 }), /^metadata\['k+/);
});

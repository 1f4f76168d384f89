// Tests of the frame decoder with valid frames.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameDecoder } from './decoder.ts';
import { FrameEncoder } from './encoder.ts';
import { type Frame, Kind } from './frame.ts';
import { encodeMetadata } from './metadata.ts';
import { randomFrame, shuffled, writeMessage } from './testing/frames.ts';
import {
  bytesOf,
  FrameType,
  framed,
  joined,
  type PlainFrame,
  plainFrame,
  readByProto,
  writtenByProto,
} from './testing/proto.ts';
import { accepted, allocate, MAX, read } from './testing/reading.ts';

/** Returns the bytes of each field of a frame separately; a map has one element for each entry. */
function fields(frame: PlainFrame): Uint8Array[] {
  return Object.entries(frame).flatMap(([name, value]) =>
    name === 'metadata'
      ? Object.entries(value).map(([key, text]) =>
          writtenByProto({ metadata: { [key]: text as string } }),
        )
      : [writtenByProto({ [name]: value })],
  );
}

test('frames of every kind from protobufjs are decoded correctly', (t) => {
  const random = seededRandom(3);
  for (let round = 0; round < 2_000; round++) {
    const frame = randomFrame(random);
    t.deepEqual(read([framed(writtenByProto(frame))]), {
      frames: [frame],
      violation: undefined,
      partial: 0,
    });
  }
});

test('fields may be in any order, mixed with unknown fields', (t) => {
  const random = seededRandom(4);
  const unknown = [
    '8001 05',
    '8001 ffffffffffffffffff01',
    '8901 0102030405060708',
    '9201 03 010203',
    '9201 00',
    '9d01 01020304',
    'f8ffffff0f 01',
  ];
  for (let round = 0; round < 2_000; round++) {
    const frame = randomFrame(random);
    const parts = fields(frame);
    for (let i = Math.floor(random() * 3); i > 0; i--)
      parts.push(bytesOf(unknown[Math.floor(random() * unknown.length)]!));
    const bytes = joined(shuffled(parts, random));
    t.deepEqual(read([framed(bytes)]), { frames: [frame], violation: undefined, partial: 0 });
    t.deepEqual(readByProto(bytes), frame, 'protobufjs reads the same');
  }
});

test('if a field occurs twice the last value counts', (t) => {
  const random = seededRandom(5);
  for (let round = 0; round < 500; round++) {
    const frame = randomFrame(random);
    const doubled = Object.entries(frame).flatMap(([name, value]) => {
      const other =
        typeof value === 'number' ? (value ^ 1) >>> 0 : name === 'metadata' ? value : `${value}00`;
      return [writtenByProto({ [name]: other }), writtenByProto({ [name]: value })];
    });
    const bytes = joined(doubled);
    t.deepEqual(read([framed(bytes)]).frames, [frame]);
    t.deepEqual(readByProto(bytes), frame, 'protobufjs reads the same');
  }
  t.deepEqual(accepted('0808 7a0101 7a00'), { kind: 8 }, 'an empty payload counts, too');
});

test('no data of a frame shows up in the next one', (t) => {
  const full = framed(
    writtenByProto({
      kind: 40,
      id: 2,
      channel: 3,
      method: 4,
      flags: 5,
      timeout: 6,
      size: 7,
      credit: 8,
      code: 9,
      text: 'x',
      metadata: { a: 'b' },
      reason: 10,
      hello: 'aa',
      account: 11,
      payload: 'bb',
    }),
  );
  const sizes: number[] = [];
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const seen: PlainFrame[] = [];
  const visitor = {
    frame(frame: Frame) {
      seen.push(plainFrame(frame));
      sizes.push(frame.metadataSize);
      return true;
    },
  };
  t.is(
    decoder.read(joined([full, framed(bytesOf('0802')), full.subarray(0, 9)]), visitor),
    undefined,
  );
  t.is(decoder.read(joined([full.subarray(9), framed(bytesOf('0802'))]), visitor), undefined);
  t.is(Object.keys(seen[0]!).length, FrameType.fieldsArray.length);
  t.deepEqual(seen[1], { kind: 2 });
  t.deepEqual(seen[2], seen[0]);
  t.deepEqual(seen[3], { kind: 2 });
  t.deepEqual(sizes, [2, 0, 2, 0]);
});

test('the decoder reads what the encoder writes', (t) => {
  const encoder = new FrameEncoder(allocate);
  const metadata = encodeMetadata({ trace: '00-\ufeffé😀' })!;
  const payload = bytesOf('00010203');
  writeMessage(
    encoder,
    {
      kind: Kind.REQUEST,
      id: 2 ** 32 - 1,
      channel: 255,
      method: 2 ** 32 - 1,
      flags: 3,
      timeout: 2 ** 32 - 1,
      metadata,
      size: 2 ** 31,
    },
    payload,
    1,
    3,
  );
  writeMessage(encoder, { kind: Kind.ONEWAY, channel: 128, method: 300 }, payload, 0, 4);
  writeMessage(encoder, { kind: Kind.RESPONSE, id: 127, size: 70_000 }, payload, 0, 0);
  encoder.credit(5, 2 ** 31 - 1, 4, 0, 0);
  encoder.error(Kind.ERROR, 3, 1, { code: 16, reason: 6, text: 'non à tout', metadata: metadata });
  encoder.error(Kind.GO_AWAY, 0, 0, {
    code: 13,
    reason: 12,
    text: 'x'.repeat(500),
    metadata: undefined,
  });
  encoder.signal(Kind.HELLO, 0, payload);
  t.deepEqual(read([encoder.take()]).frames, [
    {
      kind: 8,
      id: 2 ** 32 - 1,
      channel: 255,
      method: 2 ** 32 - 1,
      flags: 3,
      timeout: 2 ** 32 - 1,
      size: 2 ** 31,
      metadata: { trace: '00-\ufeffé😀' },
      payload: '0102',
    },
    { kind: 9, channel: 128, method: 300, payload: '00010203' },
    { kind: 10, id: 127, size: 70_000 },
    { kind: 6, id: 4, credit: 2 ** 31 - 1, account: 5 },
    {
      kind: 14,
      id: 3,
      flags: 1,
      code: 16,
      text: 'non à tout',
      metadata: { trace: '00-\ufeffé😀' },
      reason: 6,
    },
    { kind: 3, code: 13, reason: 12, text: 'x'.repeat(500) },
    { kind: 1, hello: '00010203' },
  ]);
});

test('lengths may have redundant bytes, up to four in total', (t) => {
  const ready = bytesOf('0802');
  for (const width of [1, 2, 3, 4]) t.deepEqual(read([framed(ready, width)]).frames, [{ kind: 2 }]);
  t.deepEqual(read([framed(ready, 5)]).violation, {
    reason: 'malformed',
    message: "a frame's length takes more than 4 bytes",
  });
});

test('varints of fields may have redundant bytes, and hold values up to 2^32 − 1', (t) => {
  t.deepEqual(accepted('0808 18a000'), { kind: 8, channel: 0x20 });
  t.deepEqual(accepted('8800 88 80 00'), { kind: 8 });
  t.deepEqual(accepted('0808 188180808080808080 8000'), { kind: 8, channel: 1 });
  t.deepEqual(accepted('0808 20ffffffff0f'), { kind: 8, method: 2 ** 32 - 1 });
  t.deepEqual(accepted('0808 30ff7f'), { kind: 8, timeout: 16_383 });
  t.deepEqual(accepted('0808 30808001'), { kind: 8, timeout: 16_384 });
  t.deepEqual(accepted('0808 7a8200aabb'), { kind: 8, payload: 'aabb' });
});

test('invalid UTF-8 is decoded as U+FFFD, and a byte order mark is kept', (t) => {
  t.deepEqual(accepted('080e 5203 61ff62'), { kind: 14, text: 'a\ufffdb' });
  t.deepEqual(accepted('080e 5203 efbbbf'), { kind: 14, text: '\ufeff' });
  t.deepEqual(accepted('080e 5203 eda080'), { kind: 14, text: '\ufffd\ufffd\ufffd' });
  t.deepEqual(accepted(`080e 5229 ${'61'.repeat(40)}ff`), {
    kind: 14,
    text: `${'a'.repeat(40)}\ufffd`,
  });
  t.deepEqual(accepted('0808 5a07 0a02c328 1201ff'), {
    kind: 8,
    metadata: { '\ufffd(': '\ufffd' },
  });
});

test('metadata may have any keys', (t) => {
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', ''];
  const entries = keys.map((key) => {
    const bytes = new TextEncoder().encode(key);
    return joined([
      new Uint8Array([0x5a, bytes.length + 5, 0x0a, bytes.length]),
      bytes,
      bytesOf('120178'),
    ]);
  });
  decoder.read(framed(joined([bytesOf('0808'), ...entries])), {
    frame({ metadata, metadataSize }) {
      t.is(Object.getPrototypeOf(metadata), null);
      t.deepEqual(Object.keys(metadata!), keys);
      t.true(Object.values(metadata!).every((value) => value === 'x'));
      t.is(metadataSize, keys.join('').length + keys.length);
      return true;
    },
  });
  t.is(({} as Record<string, unknown>)['x'], undefined);
  t.deepEqual(accepted('0808 5a00'), { kind: 8, metadata: { '': '' } });
  t.deepEqual(accepted('0808 5a03120161'), { kind: 8, metadata: { '': 'a' } });
  t.deepEqual(
    accepted('0808 5a09 120161 1a017a 0a016b'),
    { kind: 8, metadata: { k: 'a' } },
    'in any order, mixed with unknown fields',
  );
  t.deepEqual(accepted('0808 5a060a016b120161 5a060a016b120162'), {
    kind: 8,
    metadata: { k: 'b' },
  });
});

// Tests of the frame decoder with valid frames, cut in all ways.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameDecoder } from './decoder.ts';
import { FrameEncoder } from './encoder.ts';
import { type Frame, Kind } from './frame.ts';
import { encodeMetadata } from './metadata.ts';
import { header, randomFrame, shuffled } from './testing/frames.ts';
import {
  bytesOf,
  FrameType,
  framed,
  hex,
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
  encoder.message(
    header({
      kind: Kind.REQUEST,
      id: 2 ** 32 - 1,
      channel: 255,
      method: 2 ** 32 - 1,
      flags: 3,
      timeout: 2 ** 32 - 1,
      metadata,
      size: 2 ** 31,
    }),
    payload,
    1,
    3,
  );
  encoder.message(header({ kind: Kind.ONEWAY, channel: 128, method: 300 }), payload, 0, 4);
  encoder.message(header({ kind: Kind.RESPONSE, id: 127, size: 70_000 }), payload, 0, 0);
  encoder.credit(5, 2 ** 31 - 1, 4, 0);
  encoder.error(3, 1, { code: 16, reason: 6, text: 'non à tout', metadata: metadata });
  encoder.goAway(13, 12, 'x'.repeat(500));
  encoder.hello(Kind.HELLO, payload);
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

test('a frame may be cut anywhere, even into single bytes', (t) => {
  const random = seededRandom(6);
  for (let round = 0; round < 30; round++) {
    const frames = Array.from({ length: 3 }, () => randomFrame(random));
    const bytes = joined(
      frames.map((frame) => framed(writtenByProto(frame), 1 + Math.floor(random() * 4))),
    );
    const step = Math.max(1, Math.floor(bytes.length / 300));
    for (let cut = 0; cut <= bytes.length; cut += step) {
      const result = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
      if (result.frames.length !== 3 || result.violation !== undefined || result.partial !== 0)
        t.fail(`cut at ${cut}`);
      if (step === 1) t.deepEqual(result.frames, frames);
    }
    t.deepEqual(read(Array.from(bytes, (byte) => new Uint8Array([byte]))), {
      frames,
      violation: undefined,
      partial: 0,
    });
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; )
      chunks.push(bytes.subarray(at, (at += Math.floor(random() * 700))));
    t.deepEqual(read(chunks), { frames, violation: undefined, partial: 0 });
  }
});

test('partial is the number of bytes of an incomplete frame', (t) => {
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const partials: number[] = [];
  for (const byte of bytesOf('8400 0808 2001 020802')) {
    decoder.read(new Uint8Array([byte]), { frame: () => true });
    partials.push(decoder.partial);
  }
  t.deepEqual(partials, [1, 1, 2, 3, 4, 0, 1, 2, 0]);
});

test('lengths may have redundant bytes, up to four in total', (t) => {
  const ready = bytesOf('0802');
  for (const width of [1, 2, 3, 4]) t.deepEqual(read([framed(ready, width)]).frames, [{ kind: 2 }]);
  t.deepEqual(read([framed(ready, 5)]).violation, {
    reason: 'malformed',
    message: "a frame's length takes more than 4 bytes",
  });
});

test('maxLength may change between two frames', (t) => {
  const decoder = new FrameDecoder({ maxLength: 2, allocate });
  const kinds: number[] = [];
  const visitor = {
    frame(frame: Frame) {
      kinds.push(frame.kind);
      decoder.limit(7);
      return true;
    },
  };
  t.is(decoder.read(bytesOf('020802 070804 1501000000'), visitor), undefined);
  t.deepEqual(kinds, [2, 4]);
});

test('a buffer that the visitor returned holds the next frame that is cut', (t) => {
  let taken = 0;
  const decoder = new FrameDecoder({
    maxLength: MAX,
    allocate(size) {
      taken++;
      return new Uint8Array(size);
    },
  });
  const frames = Array.from({ length: 50 }, (_, i) =>
    framed(joined([bytesOf('080c 7a80a001'), new Uint8Array(20_480).fill(i)])),
  );
  const stream = joined(frames);
  let count = 0;
  const visitor = {
    frame(frame: Frame) {
      t.is(frame.payload.length, 20_480);
      t.true(frame.payload.every((byte) => byte === count));
      count++;
      decoder.recycle();
      return true;
    },
  };
  for (let at = 0; at < stream.length; at += 15_001)
    t.is(decoder.read(stream.subarray(at, at + 15_001), visitor), undefined);
  t.is(count, 50);
  t.true(taken <= 3, `${taken} buffers`);
});

test('a payload that was not returned is never overwritten', (t) => {
  for (const copied of [() => false, (i: number) => i % 3 === 0, (i: number) => i < 5]) {
    const decoder = new FrameDecoder({ maxLength: MAX, allocate });
    const payloads: Uint8Array[] = [];
    const visitor = {
      frame({ payload }: Frame) {
        const copy = copied(payloads.length);
        if (copy) decoder.recycle();
        return payloads.push(copy ? payload.slice() : payload) > 0;
      },
    };
    const stream = joined(
      Array.from({ length: 30 }, (_, i) =>
        framed(joined([bytesOf('080c 7ae400'), new Uint8Array(100).fill(i)])),
      ),
    );
    for (let at = 0; at < stream.length; at += 37) decoder.read(stream.slice(at, at + 37), visitor);
    t.deepEqual(
      payloads.map(hex),
      Array.from({ length: 30 }, (_, i) => hex(new Uint8Array(100).fill(i))),
    );
  }
});

test('a payload is a view of the chunk as a plain Uint8Array', (t) => {
  const chunk = framed(bytesOf('080a 1501000000 7a03 aabbcc'));
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  decoder.read(chunk, {
    frame(frame) {
      t.is(frame.payload.buffer, chunk.buffer);
      t.is(Object.getPrototypeOf(frame.payload), Uint8Array.prototype);
      return true;
    },
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

test('after the visitor returns false nothing more is read', (t) => {
  for (const cut of [0, 1, 2, 3, 4]) {
    const decoder = new FrameDecoder({ maxLength: MAX, allocate });
    const kinds: number[] = [];
    const visitor = { frame: (frame: Frame) => kinds.push(frame.kind) === 0 };
    const bytes = bytesOf('020802 020803');
    t.is(decoder.read(bytes.subarray(0, cut), visitor), undefined);
    t.is(decoder.read(bytes.subarray(cut), visitor), undefined);
    t.is(decoder.read(bytes, visitor), undefined);
    t.is(decoder.partial, 0);
    t.deepEqual(kinds, [2]);
  }
});

test('a visitor that throws ends the decoder, and one that reads recursively gets an error', (t) => {
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const chunk = bytesOf('020802');
  const again = { frame: () => decoder.read(chunk, again) === undefined };
  t.throws(() => decoder.read(chunk, again), {
    instanceOf: TypeError,
    message: /inside a FrameVisitor/,
  });
  t.is(decoder.read(chunk, { frame: () => t.fail() as never }), undefined);
});

test('a visitor that pauses gets the rest of the chunk later, wherever it pauses and however the bytes are cut', (t) => {
  const random = seededRandom(11);
  for (let round = 0; round < 300; round++) {
    const sent = Array.from({ length: 12 }, () => randomFrame(random));
    const whole = joined(sent.map((frame) => framed(writtenByProto(frame))));
    const decoder = new FrameDecoder({ maxLength: MAX, allocate });
    const frames: PlainFrame[] = [];
    let pausing = false;
    const visitor = {
      pauses: true,
      frame(frame: Frame) {
        frames.push(plainFrame(frame));
        pausing = random() < 0.5;
        return !pausing;
      },
    };
    for (let at = 0; at < whole.length; ) {
      const end = Math.min(whole.length, at + 1 + Math.floor(random() ** 2 * whole.length));
      for (let chunk = whole.subarray(at, end); chunk.length > 0; chunk = decoder.unread) {
        const before = frames.length;
        t.is(decoder.read(chunk, visitor), undefined);
        if (decoder.unread.length > 0) t.true(pausing && frames.length > before, 'it continued');
      }
      at = end;
    }
    t.deepEqual(frames, sent);
    t.is(decoder.partial, 0);
  }
});

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameDecoder, type Violation } from './decoder.ts';
import { encodeMetadata, FrameEncoder } from './encoder.ts';
import type { Frame } from './frame.ts';
import { randomFrame, shuffled } from './testing/frames.ts';
import { bytesOf, FrameType, framed, hex, joined, type PlainFrame, plainFrame, readByProto, writtenByProto } from './testing/proto.ts';

const allocate = (size: number) => new Uint8Array(size);
const MAX = 80 * 1024;

/** Reads chunks with a decoder of its own. */
function read(chunks: readonly Uint8Array[], maxLength = MAX): { frames: PlainFrame[]; violation: Violation | undefined; partial: number } {
  const decoder = new FrameDecoder({ maxLength, allocate });
  const frames: PlainFrame[] = [];
  const visitor = { frame: (frame: Frame) => frames.push(plainFrame(frame)) > 0 };
  let violation: Violation | undefined;
  for (const chunk of chunks) violation ??= decoder.read(chunk, visitor);
  return { frames, violation, partial: decoder.partial };
}

/** What is wrong with one frame of these bytes (hex, its length left out). */
function refused(digits: string): string | undefined {
  const { frames, violation } = read([framed(bytesOf(digits))]);
  return frames.length === 0 && violation?.reason === 'malformed' ? violation.message : undefined;
}

/** The one frame of these bytes (hex, its length left out). */
function accepted(digits: string): PlainFrame | undefined {
  const { frames, violation } = read([framed(bytesOf(digits))]);
  return violation === undefined && frames.length === 1 ? frames[0] : undefined;
}

/** Each field of a frame as bytes of its own; a map gives an entry each. */
function fields(frame: PlainFrame): Uint8Array[] {
  return Object.entries(frame).flatMap(([name, value]) =>
    name === 'metadata' ? Object.entries(value).map(([key, text]) => writtenByProto({ metadata: { [key]: text as string } })) : [writtenByProto({ [name]: value })],
  );
}

test('frames of every kind that protobufjs writes are read as they were', (t) => {
  const random = seededRandom(3);
  for (let round = 0; round < 2_000; round++) {
    const frame = randomFrame(random);
    t.deepEqual(read([framed(writtenByProto(frame))]), { frames: [frame], violation: undefined, partial: 0 });
  }
});

test('fields may come in any order, among fields that nobody knows', (t) => {
  const random = seededRandom(4);
  const unknown = ['8001 05', '8001 ffffffffffffffffff01', '8901 0102030405060708', '9201 03 010203', '9201 00', '9d01 01020304', 'f8ffffff0f 01'];
  for (let round = 0; round < 2_000; round++) {
    const frame = randomFrame(random);
    const parts = fields(frame);
    for (let i = Math.floor(random() * 3); i > 0; i--) parts.push(bytesOf(unknown[Math.floor(random() * unknown.length)]!));
    const bytes = joined(shuffled(parts, random));
    t.deepEqual(read([framed(bytes)]), { frames: [frame], violation: undefined, partial: 0 });
    t.deepEqual(readByProto(bytes), frame, 'protobufjs reads the same');
  }
});

test('of a field that comes twice the last value counts', (t) => {
  const random = seededRandom(5);
  for (let round = 0; round < 500; round++) {
    const frame = randomFrame(random);
    const doubled = Object.entries(frame).flatMap(([name, value]) => {
      const other = typeof value === 'number' ? (value ^ 1) >>> 0 : name === 'metadata' ? value : `${value}00`;
      return [writtenByProto({ [name]: other }), writtenByProto({ [name]: value })];
    });
    const bytes = joined(doubled);
    t.deepEqual(read([framed(bytes)]).frames, [frame]);
    t.deepEqual(readByProto(bytes), frame, 'protobufjs reads the same');
  }
  t.deepEqual(accepted('0808 7a0101 7a00'), { kind: 8 }, 'a payload of no bytes counts too');
});

test('nothing of a frame is seen in the next one', (t) => {
  const full = framed(
    writtenByProto({
      kind: 40, id: 2, channel: 3, method: 4, flags: 5, timeout: 6, size: 7, credit: 8, code: 9, text: 'x', metadata: { a: 'b' }, reason: 10, hello: 'aa', account: 11, payload: 'bb',
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
  t.is(decoder.read(joined([full, framed(bytesOf('0802')), full.subarray(0, 9)]), visitor), undefined);
  t.is(decoder.read(joined([full.subarray(9), framed(bytesOf('0802'))]), visitor), undefined);
  t.is(Object.keys(seen[0]!).length, FrameType.fieldsArray.length);
  t.deepEqual(seen[1], { kind: 2 });
  t.deepEqual(seen[2], seen[0]);
  t.deepEqual(seen[3], { kind: 2 });
  t.deepEqual(sizes, [2, 0, 2, 0]);
});

test('what our encoder writes, our decoder reads', (t) => {
  const encoder = new FrameEncoder(allocate);
  const metadata = encodeMetadata({ trace: '00-\ufeffé😀' })!;
  const payload = bytesOf('00010203');
  encoder.request(2 ** 32 - 1, 255, 2 ** 32 - 1, 3, 2 ** 32 - 1, metadata, 2 ** 31, payload, 1, 3);
  encoder.oneway(0, 128, 300, undefined, 0, payload, 0, 4);
  encoder.response(127, 70_000, payload, 0, 0);
  encoder.credit(5, 2 ** 31 - 1, 4, 0);
  encoder.error(3, 16, 6, 'non à tout', 1, metadata);
  encoder.goAway(13, 12, 'x'.repeat(500));
  encoder.hello(payload);
  t.deepEqual(read([encoder.take()]).frames, [
    { kind: 8, id: 2 ** 32 - 1, channel: 255, method: 2 ** 32 - 1, flags: 3, timeout: 2 ** 32 - 1, size: 2 ** 31, metadata: { trace: '00-\ufeffé😀' }, payload: '0102' },
    { kind: 9, channel: 128, method: 300, payload: '00010203' },
    { kind: 10, id: 127, size: 70_000 },
    { kind: 6, id: 4, credit: 2 ** 31 - 1, account: 5 },
    { kind: 14, id: 3, flags: 1, code: 16, text: 'non à tout', metadata: { trace: '00-\ufeffé😀' }, reason: 6 },
    { kind: 3, code: 13, reason: 12, text: 'x'.repeat(500) },
    { kind: 1, hello: '00010203' },
  ]);
});

test('a frame may be cut anywhere, and into single bytes', (t) => {
  const random = seededRandom(6);
  for (let round = 0; round < 30; round++) {
    const frames = Array.from({ length: 3 }, () => randomFrame(random));
    const bytes = joined(frames.map((frame) => framed(writtenByProto(frame), 1 + Math.floor(random() * 4))));
    const step = Math.max(1, Math.floor(bytes.length / 300));
    for (let cut = 0; cut <= bytes.length; cut += step) {
      const result = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
      if (result.frames.length !== 3 || result.violation !== undefined || result.partial !== 0) t.fail(`cut at ${cut}`);
      if (step === 1) t.deepEqual(result.frames, frames);
    }
    t.deepEqual(read(Array.from(bytes, (byte) => new Uint8Array([byte]))), { frames, violation: undefined, partial: 0 });
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) chunks.push(bytes.subarray(at, (at += Math.floor(random() * 700))));
    t.deepEqual(read(chunks), { frames, violation: undefined, partial: 0 });
  }
});

test('partial is what waits for the rest of its frame', (t) => {
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const partials: number[] = [];
  for (const byte of bytesOf('8400 0808 2001 020802')) {
    decoder.read(new Uint8Array([byte]), { frame: () => true });
    partials.push(decoder.partial);
  }
  t.deepEqual(partials, [1, 1, 2, 3, 4, 0, 1, 2, 0]);
});

test('lengths may be over-long, up to four bytes', (t) => {
  const ready = bytesOf('0802');
  for (const width of [1, 2, 3, 4]) t.deepEqual(read([framed(ready, width)]).frames, [{ kind: 2 }]);
  t.deepEqual(read([framed(ready, 5)]).violation, { reason: 'malformed', message: "a frame's length takes more than 4 bytes" });
});

test('hostile lengths end the connection before any memory is taken', (t) => {
  const lengths: [string, string][] = [
    ['00', 'malformed'],
    ['8000', 'malformed'],
    ['80808000', 'malformed'],
    ['ffffff7f', 'too_large'],
    ['818005', 'too_large'],
    ['ffffffff0f', 'malformed'],
    ['ffffffffffffff0f', 'malformed'],
    ['ffffffffffffffffff01', 'malformed'],
    ['80808080', 'malformed'],
  ];
  for (const [digits, reason] of lengths) {
    for (const bytewise of [false, true]) {
      const decoder = new FrameDecoder({ maxLength: MAX, allocate: () => t.fail('memory was taken') as never });
      const bytes = bytesOf(digits);
      let violation: Violation | undefined;
      for (const chunk of bytewise ? Array.from(bytes, (byte) => new Uint8Array([byte])) : [bytes]) violation ??= decoder.read(chunk, { frame: () => t.fail() as never });
      t.is(violation?.reason, reason as 'malformed', digits);
      t.is(decoder.partial, 0);
    }
  }
  t.is(read([bytesOf('00')]).violation?.message, 'a frame of no bytes');
  t.deepEqual(read([bytesOf('05 0802')], 4).violation, { reason: 'too_large', message: 'a frame of 5 bytes, above the 4 that are taken here' });
  t.deepEqual(read([framed(new Uint8Array(MAX).fill(1))]).violation?.reason, 'malformed', 'the longest frame is read');
});

test('maxLength may change between two frames', (t) => {
  const decoder = new FrameDecoder({ maxLength: 2, allocate });
  const kinds: number[] = [];
  const visitor = {
    frame(frame: Frame) {
      kinds.push(frame.kind);
      decoder.maxLength = 7;
      return true;
    },
  };
  t.is(decoder.read(bytesOf('020802 070804 1501000000'), visitor), undefined);
  t.deepEqual(kinds, [2, 4]);
});

test('memory is taken for what came, at most four times of it', (t) => {
  let taken = 0;
  const decoder = new FrameDecoder({
    maxLength: 2 ** 21,
    allocate(size) {
      taken = size;
      return new Uint8Array(size);
    },
  });
  const length = 1_000_000;
  const bytes = framed(joined([bytesOf('080c 7aba843d'), new Uint8Array(length - 6)]));
  let payload = 0;
  const visitor = {
    frame(frame: Frame) {
      payload = frame.payload.length;
      return true;
    },
  };
  for (let at = 0; at < bytes.length; at += 1000) {
    t.is(decoder.read(bytes.subarray(at, at + 1000), visitor), undefined);
    t.true(taken <= Math.max(4096, 4 * (at + 1000)));
  }
  t.is(taken, length);
  t.is(payload, length - 6);
});

test('a buffer that the visitor gave back holds the next frame that is cut', (t) => {
  let taken = 0;
  const decoder = new FrameDecoder({
    maxLength: MAX,
    allocate(size) {
      taken++;
      return new Uint8Array(size);
    },
  });
  const frames = Array.from({ length: 50 }, (_, i) => framed(joined([bytesOf('080c 7a80a001'), new Uint8Array(20_480).fill(i)])));
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
  for (let at = 0; at < stream.length; at += 15_001) t.is(decoder.read(stream.subarray(at, at + 15_001), visitor), undefined);
  t.is(count, 50);
  t.true(taken <= 3, `${taken} buffers`);
});

test('a payload that was not given back is never written over', (t) => {
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
    const stream = joined(Array.from({ length: 30 }, (_, i) => framed(joined([bytesOf('080c 7ae400'), new Uint8Array(100).fill(i)]))));
    for (let at = 0; at < stream.length; at += 37) decoder.read(stream.slice(at, at + 37), visitor);
    t.deepEqual(payloads.map(hex), Array.from({ length: 30 }, (_, i) => hex(new Uint8Array(100).fill(i))));
  }
});

test('a payload is a view of the chunk, a plain Uint8Array', (t) => {
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

test('varints of fields may be over-long, and hold up to 2^32 − 1', (t) => {
  t.deepEqual(accepted('0808 18a000'), { kind: 8, channel: 0x20 });
  t.deepEqual(accepted('8800 88 80 00'), { kind: 8 });
  t.deepEqual(accepted('0808 188180808080808080 8000'), { kind: 8, channel: 1 });
  t.deepEqual(accepted('0808 20ffffffff0f'), { kind: 8, method: 2 ** 32 - 1 });
  t.deepEqual(accepted('0808 30ff7f'), { kind: 8, timeout: 16_383 });
  t.deepEqual(accepted('0808 30808001'), { kind: 8, timeout: 16_384 });
  t.deepEqual(accepted('0808 7a8200aabb'), { kind: 8, payload: 'aabb' });
});

test('values of 2^32 and above are refused in every integer field', (t) => {
  for (const field of FrameType.fieldsArray) {
    if (field.type !== 'uint32') continue;
    const tag = hex(new Uint8Array([field.id << 3]));
    t.is(refused(`0808 ${tag}8080808010`), `field ${field.id} has a value of 2^32 or more`);
    t.is(refused(`0808 ${tag}ffffffffffffffffff01`), `field ${field.id} has a value of 2^32 or more`);
    t.is(refused(`0808 ${tag}8080808080808080808000`), `field ${field.id} has a varint of more than 10 bytes`);
  }
  t.is(refused('0808 7a8080808010'), 'field 15 has a value of 2^32 or more');
  t.is(refused('0808 80808080 10'), "a field's tag has a value of 2^32 or more");
  t.is(refused('0808 ffffffffffffffffffff01'), "a field's tag has a varint of more than 10 bytes");
  t.is(refused('0808 8001 ffffffffffffffffffff01'), 'field 16 has a varint of more than 10 bytes');
});

test('known fields with another wire type are refused', (t) => {
  for (const field of FrameType.fieldsArray) {
    const own = field.type === 'uint32' ? 0 : field.type === 'fixed32' ? 5 : 2;
    for (const [type, value] of [[0, '01'], [1, '0102030405060708'], [2, '0101'], [5, '01020304']] as const) {
      if (type === own) continue;
      t.is(refused(`${field.id === 1 ? '' : '0808'} ${hex(new Uint8Array([(field.id << 3) | type]))} ${value}`), `field ${field.id} has the wrong wire type ${type}`);
    }
  }
});

test('groups, wire types that do not exist and the field 0 are refused', (t) => {
  t.is(refused('0808 1b 1c'), 'a group (field 3)');
  t.is(refused('0808 8301 8401'), 'a group (field 16)');
  t.is(refused('0808 8401'), 'a group (field 16)');
  t.is(refused('0808 8601'), 'field 16 has the wire type 6, which does not exist');
  t.is(refused('0808 8701'), 'field 16 has the wire type 7, which does not exist');
  t.is(refused('0808 0001'), 'a field with the number 0');
  t.is(refused('0808 5a02 0b0c'), 'a group (field 1)');
  t.is(refused('0808 5a02 0801'), 'field 1 has the wrong wire type 0');
});

test('a frame without a kind is refused', (t) => {
  t.is(refused('1501000000'), 'a frame without a kind');
  t.is(refused('0800'), 'a frame without a kind');
  t.is(refused('0808 0800'), 'a frame without a kind');
  t.deepEqual(accepted('08ffffffff0f'), { kind: 2 ** 32 - 1 }, 'any other is for the session to judge');
});

test('a frame that ends inside a field is refused, wherever it ends', (t) => {
  const random = seededRandom(7);
  const whole = 'a frame that ends inside a field';
  for (const digits of ['08', '0808 15', '0808 15010000', '0808 18', '0808 1880', '0808 7a', '0808 7a01', '0808 7a02aa', '0808 5a030a0261', '0808 5a020a01', '0808 80', '0808 8001', '0808 890101', '0808 9201', '0808 920101', '0808 9d010102']) {
    t.is(refused(digits), whole, digits);
  }
  for (let round = 0; round < 200; round++) {
    const bytes = writtenByProto({ ...randomFrame(random), payload: 'ab'.repeat(1 + Math.floor(random() * 300)) });
    for (const cut of new Set(Array.from({ length: 50 }, () => 1 + Math.floor(random() * (bytes.length - 1))))) {
      // What is left may end between two fields: then it is a frame, and protobufjs finds it one.
      const { frames, violation } = read([framed(bytes.subarray(0, cut))]);
      if (violation === undefined) t.deepEqual(frames, [readByProto(bytes.subarray(0, cut))]);
      else t.is(violation.message, whole);
    }
  }
});

test('a length never reaches into the frame behind', (t) => {
  const behind = framed(writtenByProto({ kind: 10, id: 1, payload: 'aa'.repeat(40) }));
  for (const digits of ['0808 7a03aabb', '0808 150100', '0808 18', '0808 30ff', '0808 52056162', '0808 8901 0102', '0808 9201 05aa', '0808 8001 80', '08']) {
    t.is(read([joined([framed(bytesOf(digits)), behind])]).violation?.message, 'a frame that ends inside a field', digits);
  }
});

test('bad UTF-8 is read as U+FFFD, and a byte order mark is a character', (t) => {
  t.deepEqual(accepted('080e 5203 61ff62'), { kind: 14, text: 'a\ufffdb' });
  t.deepEqual(accepted('080e 5203 efbbbf'), { kind: 14, text: '\ufeff' });
  t.deepEqual(accepted('080e 5203 eda080'), { kind: 14, text: '\ufffd\ufffd\ufffd' });
  t.deepEqual(accepted(`080e 5229 ${'61'.repeat(40)}ff`), { kind: 14, text: `${'a'.repeat(40)}\ufffd` });
  t.deepEqual(accepted('0808 5a07 0a02c328 1201ff'), { kind: 8, metadata: { '\ufffd(': '\ufffd' } });
});

test('metadata is ordinary data, whatever its keys', (t) => {
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', ''];
  const entries = keys.map((key) => {
    const bytes = new TextEncoder().encode(key);
    return joined([new Uint8Array([0x5a, bytes.length + 5, 0x0a, bytes.length]), bytes, bytesOf('120178')]);
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
  t.deepEqual(accepted('0808 5a09 120161 1a017a 0a016b'), { kind: 8, metadata: { k: 'a' } }, 'in any order, beside what nobody knows');
  t.deepEqual(accepted('0808 5a060a016b120161 5a060a016b120162'), { kind: 8, metadata: { k: 'b' } });
});

test('metadata above 8 KiB is refused, and so are entries without number', (t) => {
  const entry = (key: string, value: string) => writtenByProto({ metadata: { [key]: value } });
  t.is(read([framed(joined([bytesOf('0808'), entry('key', 'v'.repeat(8189))]))]).violation, undefined);
  t.is(read([framed(joined([bytesOf('0808'), entry('key', 'v'.repeat(8190))]))]).violation?.message, 'metadata of more than 8192 bytes');
  const many = Array.from({ length: 3000 }, (_, i) => entry(String(i), ''));
  t.is(read([framed(joined([bytesOf('0808'), ...many]))]).violation?.message, 'metadata of more than 8192 bytes');
});

test('after a violation nothing is read', (t) => {
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const kinds: number[] = [];
  const visitor = { frame: (frame: Frame) => kinds.push(frame.kind) > 0 };
  t.is(decoder.read(bytesOf('020802 020800 020802'), visitor)?.reason, 'malformed');
  t.is(decoder.read(bytesOf('020802'), visitor), undefined);
  t.is(decoder.partial, 0);
  t.deepEqual(kinds, [2]);
});

test("after a visitor's false nothing is read", (t) => {
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

test('a visitor that throws ends the decoder, one that reads again is told', (t) => {
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const chunk = bytesOf('020802');
  const again = { frame: () => decoder.read(chunk, again) === undefined };
  t.throws(() => decoder.read(chunk, again), { instanceOf: TypeError, message: /inside a FrameVisitor/ });
  t.is(decoder.read(chunk, { frame: () => t.fail() as never }), undefined);
});

test('ten thousand fields that nobody knows take a moment and leave nothing', (t) => {
  const noise = joined(Array.from({ length: 26_000 }, () => bytesOf('800105')));
  t.deepEqual(read([framed(joined([noise, bytesOf('0802')]))]).frames, [{ kind: 2 }]);
});

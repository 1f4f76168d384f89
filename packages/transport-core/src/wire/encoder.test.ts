// Tests of the frame encoder: bytes, batches and parts.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameEncoder } from './encoder.ts';
import { EMPTY, Kind, PREAMBLE } from './frame.ts';
import { encodeMetadata } from './metadata.ts';
import { header, randomFrame } from './testing/frames.ts';
import { bytesOf, hex, joined, type PlainFrame, readByProto } from './testing/proto.ts';

const allocate = (size: number) => new Uint8Array(size);

/** Writes a frame, given as plain data, with the encoder's method for its kind. */
function write(encoder: FrameEncoder, frame: PlainFrame): void {
  const number = (name: string) => (frame[name] as number | undefined) ?? 0;
  const text = (frame['text'] as string | undefined) ?? '';
  const hello = bytesOf((frame['hello'] as string | undefined) ?? '');
  const metadata = encodeMetadata(frame['metadata'] as Record<string, string> | undefined);
  // The payload is a range in the middle of a buffer: bytes outside it must not be written.
  const inner = bytesOf((frame['payload'] as string | undefined) ?? '');
  const payload = joined([new Uint8Array([1, 2, 3]), inner, new Uint8Array([4, 5])]);
  const end = 3 + inner.length;
  const id = number('id');
  const size = number('size');
  const kind = number('kind');
  switch (kind) {
    case Kind.HELLO:
    case Kind.PROTOCOLS:
      return encoder.hello(kind, hello);
    case Kind.GO_AWAY:
      return encoder.goAway(number('code'), number('reason'), text);
    case Kind.CREDIT:
      return encoder.credit(number('account'), number('credit'), id, number('channel'));
    case Kind.ERROR:
      return encoder.error(id, number('flags'), {
        code: number('code'),
        reason: number('reason'),
        text: text,
        metadata: metadata,
      });
    case Kind.REQUEST:
    case Kind.ONEWAY:
    case Kind.RESPONSE:
    case Kind.ITEM:
    case Kind.PART:
      return encoder.message(
        header({
          kind,
          id,
          channel: number('channel'),
          method: number('method'),
          flags: number('flags'),
          timeout: number('timeout'),
          metadata,
          size,
        }),
        payload,
        3,
        end,
      );
    default:
      return encoder.signal(kind, id);
  }
}

/** Splits a batch into its frames. */
function split(batch: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < batch.length; ) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = batch[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    frames.push(batch.subarray(at, at + length));
    at += length;
  }
  return frames;
}

/** Returns the numbers of a frame's fields in their order. */
function fieldNumbers(frame: Uint8Array): number[] {
  const numbers: number[] = [];
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = frame[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  let at = 0;
  while (at < frame.length) {
    const tag = varint();
    numbers.push(tag >>> 3);
    if ((tag & 7) === 0) varint();
    else if ((tag & 7) === 5) at += 4;
    else {
      const length = varint();
      at += length;
    }
  }
  return numbers;
}

test('frames of every kind follow frame.proto, in ascending order and without zeros', (t) => {
  const random = seededRandom(1);
  const encoder = new FrameEncoder(allocate);
  const kinds = new Set<unknown>();
  for (let round = 0; round < 300; round++) {
    const frames: PlainFrame[] = [];
    encoder.clear();
    for (
      let frame = randomFrame(random);
      encoder.fits(22_000) && frames.length < 20;
      frame = randomFrame(random)
    ) {
      kinds.add(frame['kind']);
      // Only CREDIT and ONEWAY may lack an id; frames of other kinds are never written with an id
      // of 0.
      if (frame['kind'] !== Kind.CREDIT && frame['kind'] !== Kind.ONEWAY && hasId(frame))
        frame['id'] ??= 7;
      frames.push(frame);
      write(encoder, frame);
    }
    const written = split(encoder.take());
    t.is(encoder.count, frames.length);
    t.is(encoder.size, encoder.take().length);
    t.is(written.length, frames.length);
    for (const [i, bytes] of written.entries()) {
      const numbers = fieldNumbers(bytes);
      t.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
      const plain = readByProto(bytes);
      t.deepEqual(plain, frames[i]);
      const present = Object.keys(plain).length;
      t.is(new Set(numbers).size, present, 'an absent field is not written');
    }
  }
  t.is(kinds.size, 15);
});

function hasId(frame: PlainFrame): boolean {
  return ![Kind.HELLO, Kind.READY, Kind.GO_AWAY, Kind.PROTOCOLS].includes(frame['kind'] as 1);
}

test('the bytes of these frames never change', (t) => {
  const encoder = new FrameEncoder(allocate);
  const bytes = (write: () => void) => {
    encoder.clear();
    write();
    return hex(encoder.take());
  };
  const metadata = encodeMetadata({ a: 'b' });
  const long = new Uint8Array(200).fill(0xee);
  t.is(
    bytes(() => encoder.preamble()),
    '54524b4c',
  );
  t.is(
    bytes(() => encoder.signal(Kind.READY, 0)),
    '020802',
  );
  t.is(
    bytes(() => encoder.signal(Kind.PING, 0x01020304)),
    '07080415' + '04030201',
  );
  t.is(
    bytes(() => encoder.signal(Kind.PONG, 0xffffffff)),
    '07080515' + 'ffffffff',
  );
  t.is(
    bytes(() => encoder.credit(5, 65_600, 9, 0)),
    '0d0806' + '1509000000' + '40c08004' + '7005',
  );
  t.is(
    bytes(() => encoder.credit(2, 100, 0, 200)),
    '090806' + '18c801' + '4064' + '7002',
  );
  t.is(
    bytes(() =>
      encoder.message(
        header({ kind: Kind.REQUEST, id: 1, channel: 0x20, method: 2, timeout: 500 }),
        bytesOf('cafe'),
        0,
        2,
      ),
    ),
    '120808' + '1501000000' + '1820' + '2002' + '30f403' + '7a02cafe',
  );
  t.is(
    bytes(() =>
      encoder.message(
        header({ kind: Kind.REQUEST, id: 1, channel: 0x20, method: 2, flags: 3, metadata }),
        EMPTY,
        0,
        0,
      ),
    ),
    '150808' + '1501000000' + '1820' + '2002' + '2803' + '5a060a0161120162',
  );
  t.is(
    bytes(() =>
      encoder.message(header({ kind: Kind.ONEWAY, channel: 0x20, method: 3 }), bytesOf('01'), 0, 1),
    ),
    '090809' + '1820' + '2003' + '7a0101',
  );
  t.is(
    bytes(() => encoder.message(header({ kind: Kind.RESPONSE, id: 1 }), EMPTY, 0, 0)),
    '07080a' + '1501000000',
  );
  t.is(
    bytes(() => encoder.message(header({ kind: Kind.PART, id: 1 }), long, 0, 200)),
    `d201080c15010000007ac801${'ee'.repeat(200)}`,
  );
  t.is(
    bytes(() => encoder.signal(Kind.END, 2)),
    '07080d' + '1502000000',
  );
  t.is(
    bytes(() => encoder.error(1, 1, { code: 12, reason: 0, text: 'no', metadata: undefined })),
    '0f080e' + '1501000000' + '2801' + '480c' + '52026e6f',
  );
  t.is(
    bytes(() => encoder.signal(Kind.CANCEL, 1)),
    '07080f' + '1501000000',
  );
  t.is(
    bytes(() => encoder.goAway(14, 1, '')),
    '060803' + '480e' + '6001',
  );
});

test('a length has redundant bytes so that it is computed once, except for small messages', (t) => {
  const encoder = new FrameEncoder(allocate);
  // 100 bytes with the longest header could exceed 127, so two bytes are reserved; the actual
  // lengths are 109 (6d) and 104 (68).
  encoder.message(header({ kind: Kind.PART, id: 1 }), new Uint8Array(100), 0, 100);
  t.is(hex(encoder.take().subarray(0, 3)), '6d' + '080c');
  encoder.clear();
  encoder.hello(Kind.HELLO, new Uint8Array(100));
  t.is(hex(encoder.take().subarray(0, 4)), 'e800' + '0801');
});

test('a short message has the same bytes as from the method of its kind, except for a shorter length', (t) => {
  const written = (write: (encoder: FrameEncoder) => void): string => {
    // The buffer contains leftovers of an earlier batch, which must be overwritten.
    const encoder = new FrameEncoder((size) => new Uint8Array(size).fill(0xee), 128 * 1024);
    encoder.signal(Kind.READY, 0);
    write(encoder);
    t.is(encoder.count, 2);
    const frame = encoder.take().subarray(3);
    let at = 0;
    let length = 0;
    do length |= (frame[at]! & 0x7f) << (7 * at);
    while (frame[at++]! > 0x7f);
    t.is(length, frame.length - at);
    return hex(frame.subarray(at));
  };
  const places = [
    [1, 1, 0],
    [127, 127, 127],
    [0x20, 5, 1],
    [0x20, 5, 128],
    [0x20, 5, 5_000],
    [0x20, 5, 16_383],
    [0x20, 5, 16_384],
    [0x20, 128, 5_000],
    [255, 1, 0xffff_ffff],
  ] as const;
  const sizes = [
    ...Array(300).keys(),
    16_300,
    16_333,
    16_334,
    16_335,
    16_336,
    16_337,
    16_383,
    16_384,
    65_536,
  ];
  for (const size of sizes) {
    const payload = Uint8Array.from({ length: size }, (_, at) => at * 7);
    t.is(
      written((encoder) =>
        encoder.message(
          header({ kind: Kind.RESPONSE, id: 0x7fff_fffe }),
          payload,
          0,
          payload.length,
        ),
      ),
      written((encoder) =>
        encoder.message(header({ kind: Kind.RESPONSE, id: 0x7fff_fffe }), payload, 0, size),
      ),
    );
    t.is(
      written((encoder) =>
        encoder.message(
          header({ kind: Kind.ONEWAY, channel: 0x20, method: 3 }),
          payload,
          0,
          payload.length,
        ),
      ),
      written((encoder) =>
        encoder.message(header({ kind: Kind.ONEWAY, channel: 0x20, method: 3 }), payload, 0, size),
      ),
    );
    for (const [channel, method, timeout] of places)
      t.is(
        written((encoder) =>
          encoder.message(
            header({ kind: Kind.REQUEST, id: 1, channel, method, timeout }),
            payload,
            0,
            payload.length,
          ),
        ),
        written((encoder) =>
          encoder.message(
            header({ kind: Kind.REQUEST, id: 1, channel, method, timeout }),
            payload,
            0,
            size,
          ),
        ),
      );
  }
});

test('the buffer is taken at the first byte, kept by clear and returned by release', (t) => {
  const sizes: number[] = [];
  const encoder = new FrameEncoder((size) => {
    sizes.push(size);
    return new Uint8Array(size);
  }, 1000);
  t.is(encoder.release(), undefined);
  t.deepEqual(sizes, []);
  t.true(encoder.fits(900));
  t.false(encoder.fits(1000));
  encoder.preamble();
  encoder.signal(Kind.READY, 0);
  t.deepEqual([...encoder.take()], [...PREAMBLE, 2, 8, 2]);
  t.is(encoder.size, 7);
  t.is(encoder.count, 1);
  const first = encoder.take().buffer;
  encoder.clear();
  t.is(encoder.size, 0);
  t.is(encoder.count, 0);
  encoder.signal(Kind.READY, 0);
  t.is(encoder.take().buffer, first);
  t.is(encoder.release()?.buffer, first);
  t.is(encoder.size, 0);
  t.is(encoder.count, 0);
  encoder.signal(Kind.READY, 0);
  t.not(encoder.take().buffer, first);
  t.deepEqual(sizes, [1000, 1000]);
});

test('announced frames never grow the buffer; one that does not fit does, without loss', (t) => {
  const sizes: number[] = [];
  const encoder = new FrameEncoder((size) => {
    sizes.push(size);
    return new Uint8Array(size);
  }, 1000);
  const payload = new Uint8Array(300).fill(5);
  const metadata = encodeMetadata({ key: 'x'.repeat(100) })!;
  while (encoder.fits(300 + metadata.bytes.length))
    encoder.message(
      header({
        kind: Kind.REQUEST,
        id: 2 ** 32 - 1,
        channel: 255,
        method: 2 ** 32 - 1,
        flags: 3,
        timeout: 2 ** 32 - 1,
        metadata,
        size: 2 ** 32 - 1,
      }),
      payload,
      0,
      300,
    );
  t.deepEqual(sizes, [1000]);
  const before = encoder.take().slice();
  encoder.message(header({ kind: Kind.PART, id: 1 }), new Uint8Array(2000), 0, 2000);
  t.is(sizes.length, 2);
  t.deepEqual(encoder.take().slice(0, before.length), before);
  t.is(readByProto(split(encoder.take()).at(-1)!)['payload'], '00'.repeat(2000));
});

test('a batch in parts has the same bytes, and large payloads are not copied', (t) => {
  const random = seededRandom(3);
  const whole = new FrameEncoder(allocate, 4 * 1024 * 1024);
  const parted = new FrameEncoder(allocate, 256 * 1024, true);
  const payload = Uint8Array.from({ length: 100_000 }, () => random() * 256);
  const metadata = encodeMetadata({ key: 'x'.repeat(100) });
  for (let round = 0; round < 3; round++) {
    for (const encoder of [whole, parted]) {
      encoder.clear();
      encoder.signal(Kind.PING, 7);
      encoder.message(
        header({ kind: Kind.REQUEST, id: 1, channel: 2, method: 3, metadata, size: 200_000 }),
        payload,
        10,
        65_546,
      );
      encoder.message(header({ kind: Kind.PART, id: 1 }), payload, 0, 16_383);
      encoder.message(header({ kind: Kind.PART, id: 1 }), payload, 0, 16_384);
      encoder.message(header({ kind: Kind.RESPONSE, id: 5 }), payload, 0, 65_536);
      if (round < 2)
        encoder.message(header({ kind: Kind.ONEWAY, channel: 2, method: 3 }), payload, 0, round);
    }
    const parts = parted.takeParts()!;
    t.is(parts.filter(({ buffer }) => buffer === payload.buffer).length, 3);
    t.true(parts.every(({ length }) => length > 0));
    t.deepEqual(joined(parts), whole.take().slice());
    t.is(parted.size, whole.size);
    t.is(parted.count, whole.count);
  }
  parted.clear();
  t.is(parted.size, 0);
  parted.message(header({ kind: Kind.PART, id: 1 }), payload, 0, 16_383);
  t.is(parted.takeParts(), undefined, 'all of it is in the buffer');
  t.is(parted.take().length, parted.size);
});

test('a batch in parts is full at 256 KiB, even if its buffer has room for more', (t) => {
  const encoder = new FrameEncoder(allocate, undefined, true);
  const packet = new Uint8Array(64 * 1024);
  for (let i = 0; i < 4; i++) {
    t.true(encoder.fits(packet.length));
    encoder.message(header({ kind: Kind.PART, id: 1 }), packet, 0, packet.length);
  }
  t.false(encoder.fits(1));
  encoder.clear();
  t.true(encoder.fits(packet.length));
});

test('payloads of every small length, and of lengths near each width, are copied completely', (t) => {
  const random = seededRandom(2);
  const encoder = new FrameEncoder(allocate, 4 * 1024 * 1024);
  const lengths = [
    ...Array(300).keys(),
    16_300,
    16_336,
    16_337,
    16_383,
    16_384,
    65_536,
    2_097_100,
    2_097_152,
  ];
  for (const length of lengths) {
    const payload = new Uint8Array(length);
    for (let i = 0; i < length; i += 1 + Math.floor(length / 1000))
      payload[i] = Math.floor(random() * 256);
    encoder.clear();
    encoder.message(header({ kind: Kind.RESPONSE, id: 9 }), payload, 0, length);
    const frames = split(encoder.take());
    t.is(frames.length, 1);
    t.is(readByProto(frames[0]!)['payload'] ?? '', hex(payload));
  }
});

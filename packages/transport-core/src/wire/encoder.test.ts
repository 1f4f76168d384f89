// Tests of the bytes that the frame encoder writes.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameEncoder } from './encoder.ts';
import { EMPTY, Kind } from './frame.ts';
import { encodeMetadata } from './metadata.ts';
import { randomFrame, writeMessage } from './testing/frames.ts';
import { bytesOf, hex, joined, type PlainFrame, readByProto, split } from './testing/proto.ts';

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
      return writeMessage(
        encoder,
        {
          kind,
          id,
          channel: number('channel'),
          method: number('method'),
          flags: number('flags'),
          timeout: number('timeout'),
          metadata,
          size,
        },
        payload,
        3,
        end,
      );
    default:
      return encoder.signal(kind, id);
  }
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
      writeMessage(
        encoder,
        { kind: Kind.REQUEST, id: 1, channel: 0x20, method: 2, timeout: 500 },
        bytesOf('cafe'),
        0,
        2,
      ),
    ),
    '120808' + '1501000000' + '1820' + '2002' + '30f403' + '7a02cafe',
  );
  t.is(
    bytes(() =>
      writeMessage(
        encoder,
        { kind: Kind.REQUEST, id: 1, channel: 0x20, method: 2, flags: 3, metadata },
        EMPTY,
        0,
        0,
      ),
    ),
    '150808' + '1501000000' + '1820' + '2002' + '2803' + '5a060a0161120162',
  );
  t.is(
    bytes(() =>
      writeMessage(encoder, { kind: Kind.ONEWAY, channel: 0x20, method: 3 }, bytesOf('01'), 0, 1),
    ),
    '090809' + '1820' + '2003' + '7a0101',
  );
  t.is(
    bytes(() => writeMessage(encoder, { kind: Kind.RESPONSE, id: 1 }, EMPTY, 0, 0)),
    '07080a' + '1501000000',
  );
  t.is(
    bytes(() => writeMessage(encoder, { kind: Kind.PART, id: 1 }, long, 0, 200)),
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
  writeMessage(encoder, { kind: Kind.PART, id: 1 }, new Uint8Array(100), 0, 100);
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
        writeMessage(encoder, { kind: Kind.RESPONSE, id: 0x7fff_fffe }, payload, 0, payload.length),
      ),
      written((encoder) =>
        writeMessage(encoder, { kind: Kind.RESPONSE, id: 0x7fff_fffe }, payload, 0, size),
      ),
    );
    t.is(
      written((encoder) =>
        writeMessage(
          encoder,
          { kind: Kind.ONEWAY, channel: 0x20, method: 3 },
          payload,
          0,
          payload.length,
        ),
      ),
      written((encoder) =>
        writeMessage(encoder, { kind: Kind.ONEWAY, channel: 0x20, method: 3 }, payload, 0, size),
      ),
    );
    for (const [channel, method, timeout] of places)
      t.is(
        written((encoder) =>
          writeMessage(
            encoder,
            { kind: Kind.REQUEST, id: 1, channel, method, timeout },
            payload,
            0,
            payload.length,
          ),
        ),
        written((encoder) =>
          writeMessage(
            encoder,
            { kind: Kind.REQUEST, id: 1, channel, method, timeout },
            payload,
            0,
            size,
          ),
        ),
      );
  }
});

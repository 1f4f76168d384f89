// Tests of the bytes that the frame encoder writes.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameEncoder } from './encoder.ts';
import { Kind } from './frame.ts';
import { encodeMetadata } from './metadata.ts';
import { randomFrame, writeMessage } from './testing/frames.ts';
import {
  bytesOf,
  hex,
  joined,
  type PlainFrame,
  readByProto,
  split,
  writtenByProto,
} from './testing/proto.ts';

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
      return encoder.signal(kind, 0, hello);
    case Kind.CREDIT:
      return encoder.credit(number('account'), number('credit'), id, number('channel'), size);
    case Kind.GO_AWAY:
    case Kind.ERROR:
      return encoder.error(kind, id, number('flags'), {
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
      t.deepEqual(readByProto(bytes), frames[i]);
      t.is(hex(bytes), hex(writtenByProto(frames[i]!)), 'protobufjs writes no zeros, and in order');
    }
  }
  t.is(kinds.size, 15);
});

function hasId(frame: PlainFrame): boolean {
  return ![Kind.HELLO, Kind.READY, Kind.GO_AWAY, Kind.PROTOCOLS].includes(frame['kind'] as 1);
}

test('the bytes of these frames never change', (t) => {
  const encoder = new FrameEncoder(allocate);
  const metadata = encodeMetadata({ a: 'b' });
  const call = { kind: Kind.REQUEST, id: 1, channel: 0x20, method: 2 };
  const oneWay = { kind: Kind.ONEWAY, channel: 0x20, method: 3 };
  const part = { kind: Kind.PART, id: 1 };
  const written: [bytes: string, write: () => void][] = [
    ['54524b4c', () => encoder.preamble()],
    ['02 0802', () => encoder.signal(Kind.READY, 0)],
    ['07 0804 1504030201', () => encoder.signal(Kind.PING, 0x01020304)],
    ['07 0805 15ffffffff', () => encoder.signal(Kind.PONG, 0xffffffff)],
    ['0d 0806 1509000000 40c08004 7005', () => encoder.credit(5, 65_600, 9, 0, 0)],
    ['0b 0806 18c801 3803 4064 7002', () => encoder.credit(2, 100, 0, 200, 3)],
    [
      '12 0808 1501000000 1820 2002 30f403 7a02cafe',
      () => writeMessage(encoder, { ...call, timeout: 500 }, bytesOf('cafe')),
    ],
    [
      '15 0808 1501000000 1820 2002 2803 5a060a0161120162',
      () => writeMessage(encoder, { ...call, flags: 3, metadata }),
    ],
    ['09 0809 1820 2003 7a0101', () => writeMessage(encoder, oneWay, bytesOf('01'))],
    ['07 080a 1501000000', () => writeMessage(encoder, { kind: Kind.RESPONSE, id: 1 })],
    [
      `d201 080c 1501000000 7ac801${'ee'.repeat(200)}`,
      () => writeMessage(encoder, part, new Uint8Array(200).fill(0xee)),
    ],
    ['07 080d 1502000000', () => encoder.signal(Kind.END, 2)],
    [
      '0f 080e 1501000000 2801 480c 52026e6f',
      () =>
        encoder.error(Kind.ERROR, 1, 1, { code: 12, reason: 0, text: 'no', metadata: undefined }),
    ],
    ['07 080f 1501000000', () => encoder.signal(Kind.CANCEL, 1)],
    [
      '06 0803 480e 6001',
      () =>
        encoder.error(Kind.GO_AWAY, 0, 0, { code: 14, reason: 1, text: '', metadata: undefined }),
    ],
  ];
  for (const [bytes, write] of written) {
    encoder.clear();
    write();
    t.is(hex(encoder.take()), bytes.replaceAll(' ', ''));
  }
});

test('a length has redundant bytes so that it is computed once, except for small messages', (t) => {
  const encoder = new FrameEncoder(allocate);
  // 100 bytes with the longest header could exceed 127, so two bytes are reserved; the actual
  // lengths are 109 (6d) and 104 (68).
  writeMessage(encoder, { kind: Kind.PART, id: 1 }, new Uint8Array(100));
  t.is(hex(encoder.take().subarray(0, 3)), '6d' + '080c');
  encoder.clear();
  encoder.signal(Kind.HELLO, 0, new Uint8Array(100));
  t.is(hex(encoder.take().subarray(0, 4)), 'e800' + '0801');
});

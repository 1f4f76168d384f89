// Tests of the buffers of the frame encoder: growth, batches in parts, and payloads of every
// length.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameEncoder } from './encoder.ts';
import { Kind, PREAMBLE } from './frame.ts';
import { encodeMetadata } from './metadata.ts';
import { writeMessage } from './testing/frames.ts';
import { hex, joined, readByProto, split } from './testing/proto.ts';

const allocate = (size: number) => new Uint8Array(size);

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
        size: 2 ** 32 - 1,
      },
      payload,
      0,
      300,
    );
  t.deepEqual(sizes, [1000]);
  const before = encoder.take().slice();
  writeMessage(encoder, { kind: Kind.PART, id: 1 }, new Uint8Array(2000));
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
      writeMessage(
        encoder,
        { kind: Kind.REQUEST, id: 1, channel: 2, method: 3, metadata, size: 200_000 },
        payload,
        10,
        65_546,
      );
      writeMessage(encoder, { kind: Kind.PART, id: 1 }, payload, 0, 16_383);
      writeMessage(encoder, { kind: Kind.PART, id: 1 }, payload, 0, 16_384);
      writeMessage(encoder, { kind: Kind.RESPONSE, id: 5 }, payload, 0, 65_536);
      if (round < 2)
        writeMessage(encoder, { kind: Kind.ONEWAY, channel: 2, method: 3 }, payload, 0, round);
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
  writeMessage(parted, { kind: Kind.PART, id: 1 }, payload, 0, 16_383);
  t.is(parted.takeParts(), undefined, 'all of it is in the buffer');
  t.is(parted.take().length, parted.size);
});

test('a batch in parts is full at 256 KiB, even if its buffer has room for more', (t) => {
  const encoder = new FrameEncoder(allocate, undefined, true);
  const packet = new Uint8Array(64 * 1024);
  for (let i = 0; i < 4; i++) {
    t.true(encoder.fits(packet.length));
    writeMessage(encoder, { kind: Kind.PART, id: 1 }, packet);
  }
  t.false(encoder.fits(1));
  encoder.clear();
  t.true(encoder.fits(packet.length));
});

test('payloads of every small length, and of lengths near each width, are copied completely', (t) => {
  const random = seededRandom(2);
  const encoder = new FrameEncoder(allocate, 4 * 1024 * 1024);
  const widths = [16_300, 16_336, 16_337, 16_383, 16_384, 65_536, 2_097_100, 2_097_152];
  const lengths = [...Array(300).keys(), ...widths];
  for (const length of lengths) {
    const payload = new Uint8Array(length);
    for (let i = 0; i < length; i += 1 + Math.floor(length / 1000))
      payload[i] = Math.floor(random() * 256);
    encoder.clear();
    writeMessage(encoder, { kind: Kind.RESPONSE, id: 9 }, payload, 0, length);
    const frames = split(encoder.take());
    t.is(frames.length, 1);
    t.is(readByProto(frames[0]!)['payload'] ?? '', hex(payload));
  }
});

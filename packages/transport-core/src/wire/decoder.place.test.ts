// Tests of payloads that the decoder reads directly into their place.

import test from 'ava';
import { FrameDecoder } from './decoder.ts';
import { FrameEncoder } from './encoder.ts';
import { type Frame, Kind } from './frame.ts';
import { writeMessage } from './testing/frames.ts';
import { bytesOf, framed, plainFrame } from './testing/proto.ts';
import { allocate } from './testing/reading.ts';

const payload = Uint8Array.from({ length: 300 }, (_, i) => i);

/** Returns three frames: a PART between two others. */
function frames(): Uint8Array {
  const encoder = new FrameEncoder(allocate);
  writeMessage(
    encoder,
    { kind: Kind.RESPONSE, id: 0xfedc_ba98, size: 400 },
    payload.subarray(0, 100),
    0,
    100,
  );
  writeMessage(encoder, { kind: Kind.PART, id: 0xfedc_ba98 }, payload);
  encoder.credit(1, 77, 0, 0, 0);
  return encoder.take().slice();
}

/** Decodes chunks with a visitor that has `place`, as a session does. */
function readInto(
  chunks: readonly Uint8Array[],
  place: ((id: number, length: number) => Uint8Array) | undefined,
) {
  const decoder = new FrameDecoder({ maxLength: 1_000, allocate });
  const seen: ReturnType<typeof plainFrame>[] = [];
  const payloads: Uint8Array[] = [];
  for (const chunk of chunks) {
    const violation = decoder.read(chunk, {
      ...(place && { place }),
      frame(frame: Frame) {
        seen.push(plainFrame(frame));
        if (frame.kind === Kind.PART) payloads.push(frame.payload);
        return true;
      },
    });
    if (violation !== undefined) return { seen, payloads, violation, partial: decoder.partial };
  }
  return { seen, payloads, violation: undefined, partial: decoder.partial };
}

test('the payload of a PART that was cut is read into its place, wherever it was cut', (t) => {
  const bytes = frames();
  const whole = readInto(
    [bytes],
    () => t.fail('a frame that is whole in its chunk needs no place') as never,
  );
  t.is(whole.seen.length, 3);
  let placed = 0;
  for (let first = 0; first <= bytes.length; first++) {
    for (const second of [first, first + 1, first + 150, bytes.length].filter(
      (at) => at <= bytes.length,
    )) {
      const memory = new Uint8Array(1_000);
      let place: Uint8Array | undefined;
      const result = readInto(
        [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)],
        (id, length) => {
          t.deepEqual([id, length], [0xfedc_ba98, 300]);
          placed++;
          place = memory.subarray(500, 500 + length);
          return place;
        },
      );
      t.deepEqual(result, whole);
      if (place !== undefined) t.is(result.payloads[0], place, 'the very same memory');
      if (place !== undefined) t.deepEqual(place, payload);
    }
  }
  t.true(placed > 600);
});

test('a place that is given up between two chunks is not written anymore', (t) => {
  const bytes = frames();
  const places: Uint8Array[] = [];
  const { seen, payloads } = readInto(
    [bytes.subarray(0, 200), bytes.subarray(200, 300), bytes.subarray(300)],
    (_id, length) => {
      for (const place of places) place.fill(0);
      const place = new Uint8Array(length);
      places.push(place);
      return place;
    },
  );
  t.is(seen.length, 3);
  t.is(places.length, 3, 'it is asked for again for each chunk');
  t.is(payloads[0], places.at(-1));
  for (const place of places.slice(0, -1)) t.deepEqual(place, new Uint8Array(300));
});

test('without a place it is assembled like any other frame', (t) => {
  const bytes = frames();
  const whole = readInto([bytes], undefined);
  for (let cut = 0; cut <= bytes.length; cut++)
    t.deepEqual(readInto([bytes.subarray(0, cut), bytes.subarray(cut)], undefined), whole);
});

test('only a PART that ends with its payload gets a place', (t) => {
  const none = () => t.fail('no place is asked for') as never;
  const rest = ` ${'00'.repeat(20)}`;
  for (const hex of [
    // These are a response, a payload before the id, a field after the payload, a payload longer
    // than its frame, and a length of five bytes.
    `08${Kind.RESPONSE.toString(16).padStart(2, '0')} 15 01000000 7a14${rest}`,
    `08${Kind.PART.toString(16).padStart(2, '0')} 7a14${rest} 15 01000000`,
    `08${Kind.PART.toString(16).padStart(2, '0')} 15 01000000 7a12${rest}`,
    `08${Kind.PART.toString(16).padStart(2, '0')} 15 01000000 7a15${rest}`,
    `08${Kind.PART.toString(16).padStart(2, '0')} 15 01000000 7a9480808000${rest}`,
  ]) {
    const bytes = framed(bytesOf(hex));
    const whole = readInto([bytes], none);
    for (let cut = 0; cut <= bytes.length; cut++)
      t.deepEqual(
        readInto([bytes.subarray(0, cut), bytes.subarray(cut)], none),
        whole,
        `${hex} cut at ${cut}`,
      );
  }
});

test('a frame that is partly in its place is waited for and counted', (t) => {
  const bytes = frames();
  const result = readInto([bytes.subarray(0, 200)], (_id, length) => new Uint8Array(length));
  t.is(result.seen.length, 1);
  const first = readInto([bytes], undefined).seen.length;
  t.is(first, 3);
  t.true(result.partial > 1);
});

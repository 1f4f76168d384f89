// Tests of the frame decoder on chunks: frames that are split across chunks, buffers of the
// visitor, and visitors that stop.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameDecoder } from './decoder.ts';
import type { Frame } from './frame.ts';
import { randomFrame } from './testing/frames.ts';
import {
  bytesOf,
  framed,
  hex,
  joined,
  type PlainFrame,
  plainFrame,
  writtenByProto,
} from './testing/proto.ts';
import { allocate, MAX, read } from './testing/reading.ts';

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

// Checks that our frames conform to RFC 6455, for every form of the length.

import test from 'ava';
import { MessageFrames } from './message-frames.ts';
import { framesOf } from './testing/frames.ts';

const LENGTHS = [
  1, 2, 3, 4, 5, 125, 126, 127, 4_095, 65_535, 65_536, 98_304, 98_305, 262_143, 262_144,
];

for (const isMasked of [true, false]) {
  const what = isMasked ? 'masked' : 'bare';

  for (const length of LENGTHS) {
    test(`a ${what} message of ${length} bytes is decoded as it was encoded`, (t) => {
      const frames = new MessageFrames(isMasked);
      // The view is not aligned to a word; any view may be unaligned.
      const payload = new Uint8Array(length + 3).subarray(3).map((_, at) => at * 7 + 1);
      const before = payload.slice();
      const { key, payload: read } = parse(frames.frame(payload));
      t.is(key !== undefined, isMasked);
      t.deepEqual(new Uint8Array(read), before);
      t.deepEqual(payload, before);
    });
  }

  test(`a ${what} frame that is still being read is not overwritten; a released one may be`, (t) => {
    const one = new MessageFrames(isMasked);
    const other = new MessageFrames(isMasked);
    const kept = one.frame(new Uint8Array(300).fill(1));
    one.given();
    const next = other.frame(new Uint8Array(300).fill(2));
    t.not(next.buffer, kept.buffer);
    other.release();
    const last = one.frame(new Uint8Array(300).fill(3));
    t.is(last.buffer, next.buffer);
    t.deepEqual(new Uint8Array(parse(kept).payload), new Uint8Array(300).fill(1));
    t.deepEqual(new Uint8Array(parse(last).payload), new Uint8Array(300).fill(3));
    one.release();
  });
}

test('each message has its own key', (t) => {
  const frames = new MessageFrames(true);
  const keys = new Set<string>();
  for (let i = 0; i < 1_000; i++) {
    keys.add(String(parse(frames.frame(new Uint8Array(8))).key));
    frames.release();
  }
  t.true(keys.size > 990);
});

/** Reads the only frame of these bytes. */
function parse(bytes: Uint8Array) {
  const frames = framesOf(bytes);
  if (frames.length !== 1) throw new Error(`${frames.length} frames`);
  return frames[0]!;
}

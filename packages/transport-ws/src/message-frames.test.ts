// Checks that our frames conform to RFC 6455, with a parser of section 5.2 written by hand, for
// every form of the length.

import test from 'ava';
import { MessageFrames } from './message-frames.ts';

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
      const { key, read } = parse(frames.frame(payload));
      t.is(key !== undefined, isMasked);
      t.deepEqual(read, before);
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
    t.deepEqual(parse(kept).read, new Uint8Array(300).fill(1));
    t.deepEqual(parse(last).read, new Uint8Array(300).fill(3));
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

/** Parses a final binary frame: its key, if it has one, and its unmasked payload. */
function parse(frame: Uint8Array): { key: Uint8Array | undefined; read: Uint8Array } {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame[0] !== 0x82) throw new Error(`a frame that begins with ${frame[0]}`);
  const short = frame[1]! & 0x7f;
  const length =
    short < 126 ? short : short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
  // Only the shortest form of the length is allowed.
  if ((short === 126 && length < 126) || (short === 127 && length < 65_536))
    throw new Error(`a length of ${length} in too many bytes`);
  const at = short < 126 ? 2 : short === 126 ? 4 : 10;
  const isMasked = (frame[1]! & 0x80) !== 0;
  const key = isMasked ? frame.slice(at, at + 4) : undefined;
  const read = frame.slice(isMasked ? at + 4 : at);
  if (read.length !== length) throw new Error(`${read.length} bytes, ${length} announced`);
  if (key !== undefined) for (let i = 0; i < length; i++) read[i]! ^= key[i & 3]!;
  return { key, read };
}

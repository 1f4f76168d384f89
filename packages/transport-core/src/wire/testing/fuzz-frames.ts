// Fuzzes the frame decoder: no matter how the bytes are cut, they yield the same frames and the
// same violation, and all numbers are valid.

import { type Random, randomBytes } from '../../random.ts';
import { FrameDecoder, type FrameViolation } from '../decoder.ts';
import type { Frame } from '../frame.ts';
import { randomFrame } from './frames.ts';
import { framed, joined, writtenByProto } from './proto.ts';

/** The fuzz target. The first byte of the input decides where the rest is cut. */
export const target = {
  run(input: Uint8Array): void {
    const cut = input[0] ?? 0;
    const bytes = input.subarray(1);
    const whole = read([bytes]);
    const pieces = read(
      cut < 0x80
        ? [bytes.subarray(0, cut), bytes.subarray(cut)]
        : inPieces(bytes, 1 + (cut & 0x1f)),
    );
    const turns = read([bytes], 1 + (cut & 3));
    if (JSON.stringify(whole) !== JSON.stringify(turns))
      throw new Error(
        `in turns, it reads otherwise: ${JSON.stringify(turns)}, whole ${JSON.stringify(whole)}`,
      );
    if (JSON.stringify(whole) !== JSON.stringify(pieces))
      throw new Error(
        `cut, it reads otherwise: ${JSON.stringify(pieces)}, whole ${JSON.stringify(whole)}`,
      );
  },

  *seeds(): Iterable<Uint8Array> {
    for (let cut = 0; cut < 256; cut += 51)
      yield Uint8Array.of(cut, 2, 8, 2, 7, 8, 4, 0x15, 1, 0, 0, 0);
  },

  make(random: Random): Uint8Array {
    const frames = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      framed(small(random), Math.floor(random() * 4)),
    );
    return joined([randomBytes(random, 1), ...frames]);
  },
};

/** Decodes chunks, at most `turn` frames at a time. */
function read(
  chunks: readonly Uint8Array[],
  turn = Number.POSITIVE_INFINITY,
): { frames: string[]; violation: FrameViolation | undefined } {
  const decoder = new FrameDecoder({ maxLength: MOST, allocate });
  const frames: string[] = [];
  const visitor = {
    frame: (frame: Frame) => frames.push(checked(frame)) % turn !== 0,
    pauses: true,
  };
  let violation: FrameViolation | undefined;
  let bytes = 0;
  for (const chunk of chunks) {
    bytes += chunk.length;
    for (let rest = chunk; rest.length > 0; ) {
      // The memory of a chunk is reused after it was read.
      const passing = rest.slice();
      violation ??= decoder.read(passing, visitor);
      rest = decoder.unread.slice();
      passing.fill(0xee);
    }
    if (decoder.partial > bytes)
      throw new Error(`${decoder.partial} bytes wait, and ${bytes} came`);
  }
  return { frames, violation };
}

function checked(frame: Frame): string {
  for (const name of INTEGERS) {
    const value = frame[name];
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 32))
      throw new Error(`${name} is ${value}`);
  }
  if (frame.kind === 0) throw new Error('a frame has no kind');
  const { text, metadata } = frame;
  return JSON.stringify([
    INTEGERS.map((name) => frame[name]),
    text,
    metadata === undefined ? 0 : Object.entries(metadata),
    Array.from(frame.payload),
    Array.from(frame.hello),
  ]);
}

function inPieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

function small(random: Random): Uint8Array {
  for (;;) {
    const bytes = writtenByProto(randomFrame(random));
    if (bytes.length < 200) return bytes;
  }
}

function allocate(size: number): Uint8Array {
  if (size > MOST) throw new Error(`${size} bytes were taken for a frame of at most ${MOST}`);
  return new Uint8Array(size);
}

const MOST = 4_096;
/** The integers of a frame. */
export const INTEGERS =
  'kind id channel method flags timeout size credit code reason account metadataSize'.split(
    ' ',
  ) as ('kind' | 'id' | 'size')[];

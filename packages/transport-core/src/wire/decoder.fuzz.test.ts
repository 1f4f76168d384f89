// Fuzz tests of the frame decoder with damaged and random bytes.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameDecoder } from './decoder.ts';
import type { Frame } from './frame.ts';
import { randomFrame } from './testing/frames.ts';
import { INTEGERS } from './testing/fuzz-frames.ts';
import { framed, joined, writtenByProto } from './testing/proto.ts';

test('150,000 damaged inputs, cut at random, never throw and never give an invalid number', (t) => {
  const random = seededRandom(8);
  const below = (limit: number) => Math.floor(random() * limit);
  const corpus = Array.from({ length: 200 }, () =>
    joined(Array.from({ length: 1 + below(3) }, () => small(random))),
  );
  const counts = { frames: 0, malformed: 0, too_large: 0 };
  const visitor = {
    frame(frame: Frame) {
      counts.frames++;
      for (const name of INTEGERS) {
        const value = frame[name];
        if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 32))
          t.fail(`${name} is ${value}`);
      }
      if (frame.kind === 0) t.fail('kind is 0');
      return true;
    },
  };
  for (let round = 0; round < 150_000; round++) {
    const bytes = corpus[below(corpus.length)]!.slice();
    for (let damages = 1 + below(4); damages > 0; damages--) damage(bytes, below);
    const decoder = new FrameDecoder({
      maxLength: 4096,
      allocate: (size) => (size > 4096 ? t.fail() : new Uint8Array(size)) as Uint8Array,
    });
    const cut = below(2) === 0 ? bytes.length : below(bytes.length);
    const violation =
      decoder.read(bytes.subarray(0, cut), visitor) ?? decoder.read(bytes.subarray(cut), visitor);
    if (violation !== undefined) counts[violation.reason]++;
    if (decoder.partial > bytes.length) t.fail(`${decoder.partial} bytes wait`);
  }
  t.true(counts.frames > 50_000);
  t.true(counts.malformed > 10_000);
  t.true(counts.too_large > 100);
});

test('random bytes never throw', (t) => {
  const random = seededRandom(9);
  for (let round = 0; round < 20_000; round++) {
    const bytes = new Uint8Array(1 + Math.floor(random() * 64));
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256);
    const decoder = new FrameDecoder({ maxLength: 100, allocate: (size) => new Uint8Array(size) });
    decoder.read(bytes, { frame: () => true });
    decoder.read(bytes, { frame: () => true });
  }
  t.pass();
});

/**
 * Returns a random frame of less than 300 bytes, so that even a few damaged bytes are likely to
 * change it.
 */
function small(random: () => number): Uint8Array {
  for (;;) {
    const bytes = writtenByProto(randomFrame(random));
    if (bytes.length < 300) return framed(bytes, 1 + Math.floor(random() * 3));
  }
}

function damage(bytes: Uint8Array, below: (limit: number) => number): void {
  const at = below(bytes.length);
  switch (below(5)) {
    case 0:
      bytes[at] = below(256);
      break;
    case 1:
      bytes[at]! ^= 1 << below(8);
      break;
    case 2:
      bytes.fill(0xff, at, at + 1 + below(12));
      break;
    case 3:
      bytes.copyWithin(at, below(bytes.length), bytes.length);
      break;
    default:
      bytes.fill(0, at, at + 1 + below(4));
  }
}

// Fuzz tests of the frame decoder with damaged and random bytes: testing/fuzz-frames.ts checks that
// it never throws, and reads the same numbers, all of them valid, however the bytes are cut.

import test from 'ava';
import { randomBytes, seededRandom } from '../random.ts';
import { target } from './testing/fuzz-frames.ts';

test('100,000 damaged inputs, cut at random, never throw and never give an invalid number', (t) => {
  const random = seededRandom(8);
  const below = (limit: number) => Math.floor(random() * limit);
  const corpus = Array.from({ length: 200 }, () => target.make(random));
  for (let round = 0; round < 100_000; round++) {
    const input = corpus[below(corpus.length)]!.slice();
    for (let damages = 1 + below(4); damages > 0; damages--) damage(input, below);
    target.run(input);
  }
  t.pass();
});

test('random bytes never throw', (t) => {
  const random = seededRandom(9);
  for (let round = 0; round < 20_000; round++)
    target.run(randomBytes(random, 1 + Math.floor(random() * 64)));
  t.pass();
});

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

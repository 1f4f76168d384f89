// Tests a session against a peer that sends anything, well-formed and plausible or not:
// testing/fuzz-session.ts checks that the session never throws, ends once, and then holds nothing.

import test from 'ava';
import { type Random, seededRandom } from '../random.ts';
import { target } from './testing/fuzz-session.ts';

/**
 * Makes the input of a dialer whose frames could each be part of some conversation, but are unlikely
 * to fit this one.
 */
function plausible(random: Random): Uint8Array {
  const below = (most: number) => Math.floor(random() * most);
  // An acceptor whose hello succeeds.
  const input = [below(256) & ~9];
  for (let step = 0; step < 300; step++) {
    if (random() < 0.5) {
      input.push(24 + below(7), below(250), below(256));
      continue;
    }
    const isLong = random() < 0.3;
    const [mine, yours, method] = [2 * below(20) + 1, 2 * below(20) + 2, 1 + below(5)];
    const kind = below(9);
    const either = random() < 0.5 ? mine : yours;
    const id = [mine, isLong ? mine : 0, yours, either, either, either, yours, mine, 0][kind]!;
    const flags = kind === 8 ? 2 + below(2) : [0, 0, 0, 1, 2, 3][method]!;
    // A length of 252 is a full packet, and 128 + n the size of n packets; multiples of 8 are none.
    input.push(kind, id, 0, method, flags);
    if (kind < 4 && isLong) input.push(252, 128 + 2 + below(6));
    else input.push(kind === 4 && random() < 0.7 ? 252 : below(250), 8 * below(8));
  }
  return Uint8Array.from(input);
}

for (const [what, make, inputs] of [
  ['within the forms', plausible, 900],
  ['in any form', target.make, 20_000],
] as const) {
  test(`a peer that says what it likes (${what}) breaks nothing but its connection`, (t) => {
    for (let seed = 0; seed < inputs; seed++) {
      const input = make(seededRandom(seed));
      try {
        target.run(input);
      } catch (error) {
        t.fail(`seed ${seed}: ${String(error)}`);
      }
    }
    t.pass();
  });
}

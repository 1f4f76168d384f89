// Lets V8's young generation grow to its full size before memory is measured, so that this growth
// is not attributed to an attacker.

/**
 * Allocates objects of which some survive a collection or two, which makes V8 enlarge its
 * semi-spaces.
 */
export function growYoungGeneration(): void {
  const survivors: unknown[][] = [];
  for (let i = 0; i < ROUNDS; i++) survivors[i % SURVIVORS] = Array.from({ length: OBJECTS }, (_, n) => [n]);
}

const ROUNDS = 400;
const SURVIVORS = 40;
const OBJECTS = 4_000;

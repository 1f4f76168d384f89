// Lets V8's young generation grow to its full size before memory is measured: what a busy process allocates for a moment is no growth
// that an attacker caused.

/** Makes garbage of which a part survives a collection or two, which is what makes V8 enlarge its semi-spaces. */
export function growYoungGeneration(): void {
  const survivors: unknown[][] = [];
  for (let i = 0; i < ROUNDS; i++) survivors[i % SURVIVORS] = Array.from({ length: OBJECTS }, (_, n) => [n]);
}

const ROUNDS = 400;
const SURVIVORS = 40;
const OBJECTS = 4_000;

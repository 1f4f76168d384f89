// The flags of a victim's V8. Memory and times are measured on different victims: flags that keep
// garbage out of the memory make V8 collect so often that calls take longer.

/**
 * Flags that make V8 collect early and often: memory then grows by what is held, and hardly by
 * uncollected garbage.
 */
export const SMALL_HEAP: readonly string[] = ['--max-semi-space-size=8', '--optimize-for-size'];

/**
 * Flags for a victim whose times are measured. Its young generation has the same size; otherwise V8
 * collects when it likes.
 */
export const FAST_HEAP: readonly string[] = ['--max-semi-space-size=8'];

/**
 * Lets V8's young generation grow to its full size before an attack. Allocates objects of which
 * some survive a collection or two, which makes V8 enlarge its semi-spaces.
 */
export function growYoungGeneration(): void {
  const survivors: unknown[][] = [];
  for (let i = 0; i < ROUNDS; i++)
    survivors[i % SURVIVORS] = Array.from({ length: OBJECTS }, (_, n) => [n]);
}

const ROUNDS = 400;
const SURVIVORS = 40;
const OBJECTS = 4_000;

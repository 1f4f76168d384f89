// The flags of a victim's V8, and its warm-up. Memory and times are measured on different victims:
// flags that keep garbage out of the memory make V8 collect so often that calls take longer.

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
 * The environment of a victim whose times are measured: glibc keeps all memory that is freed
 * (mallopt(3)).
 */
export const KEPT = {
  GLIBC_TUNABLES:
    'glibc.malloc.mmap_threshold=2147483647:glibc.malloc.trim_threshold=4294967295:glibc.malloc.arena_max=1',
};

/**
 * Milliseconds at the beginning of an attack in which honest calls are not counted: V8 compiles the
 * code that the attack is the first to run, for 100 ms in all. The delays of the event loop count
 * them.
 */
export const COMPILING = 1_000;

/**
 * Writes to as much memory as an attack may take, and frees it, if glibc keeps it. A virtual
 * machine whose host takes back idle memory needs up to 16 µs for a page that a process has not
 * used yet (2 s for 512 MiB). Every program that receives 512 MiB pays this, so it must not count
 * as an effect of the attack.
 *
 * @param bytes the memory that the limits allow to the attack.
 */
export function touchMemory(bytes: number): void {
  if (process.env.GLIBC_TUNABLES !== KEPT.GLIBC_TUNABLES) return;
  const length = Math.ceil(bytes / BLOCK) + OTHERS;
  const blocks = Array.from({ length }, () => Buffer.alloc(BLOCK, 1).buffer);
  for (const block of blocks) structuredClone(null, { transfer: [block] });
}

/**
 * Lets V8's young generation grow to its full size before an attack. Allocates objects of which
 * some survive a collection or two, which makes V8 enlarge its semi-spaces.
 */
export function growYoungGeneration(): void {
  const survivors: unknown[][] = [];
  for (let i = 0; i < ROUNDS; i++)
    survivors[i % SURVIVORS] = Array.from({ length: OBJECTS }, (_, n) => [n]);
}

/** The bytes of a block that is written to, and the blocks for everything that no limit counts. */
const BLOCK = 1_048_576;
const OTHERS = 64;
const ROUNDS = 400;
const SURVIVORS = 40;
const OBJECTS = 4_000;

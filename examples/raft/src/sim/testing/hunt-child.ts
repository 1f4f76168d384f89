// The process of one mutant: runs seeds one after the other until a property fails. Its argument
// and its answer are JSON.

import { mutate } from './hooks.ts';
import type { Mutant } from './mutant.ts';

/** The argument of the process. */
export interface Hunt {
  readonly mutant: Mutant;
  readonly seeds: number;
}

/** The answer: the seed and the property that failed, or neither if all seeds passed. */
export interface Catch {
  readonly seed?: number | undefined;
  readonly property?: string | undefined;
  readonly message?: string | undefined;
  /** Real milliseconds, without the start of the process. */
  readonly took: number;
}

async function main({ mutant, seeds }: Hunt): Promise<void> {
  mutate(mutant.edits);
  const { runSeed } = await import('./run-seed.ts');
  const began = performance.now();
  const answer = (found: Omit<Catch, 'took'>) =>
    process.stdout.write(
      `${JSON.stringify({ ...found, took: Math.round(performance.now() - began) })}\n`,
    );
  const rejected = new Promise<{ property: string; message: string }>((resolve) => {
    process.on('unhandledRejection', (error) =>
      resolve({ property: 'no unhandled rejection', message: String(error) }),
    );
  });
  for (let seed = 1; seed <= seeds; seed++) {
    const failure = await Promise.race([runSeed(seed, mutant), rejected]);
    if (failure === undefined) continue;
    answer({ seed, ...failure }); // The parent then ends this process.
    return;
  }
  answer({});
}

await main(JSON.parse(process.argv[2]!) as Hunt);

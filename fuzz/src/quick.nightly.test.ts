// Runs each target with its corpus and a few mutated inputs.

import test from 'ava';
import { readCorpus } from './engine/corpus.ts';
import { fuzz } from './engine/loop.ts';
import { loadTarget, TARGET_NAMES } from './targets.ts';

/** The number of inputs for each target besides its corpus. */
const CHANGED = 1_000;
const SEED = 1;

for (const name of TARGET_NAMES) {
  test.serial(
    `${name}: the corpus and ${CHANGED.toLocaleString('en-US')} changed inputs break nothing`,
    async (t) => {
      const target = await loadTarget(name);
      const known = readCorpus(name);
      const { runs, crashes } = await fuzz({
        target,
        known,
        runs: known.length + CHANGED,
        seed: SEED,
      });
      for (const { input, error } of crashes) {
        t.log(`npx pnpm@12 fuzz ${name} --input ${Buffer.from(input).toString('base64')}`);
        t.fail(error instanceof Error ? error.stack : String(error));
      }
      t.is(runs, known.length + CHANGED);
    },
  );
}

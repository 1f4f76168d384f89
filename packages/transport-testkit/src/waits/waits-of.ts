// Finds the waits of a case by its context, for suites whose cases create their fixtures themselves.

import type { TestContext } from '../test-runner.ts';
import { CaseWaits } from './case-waits.ts';

const running = new WeakMap<TestContext, CaseWaits>();

/** Runs a case with a context of its own; see {@link CaseWaits.run}. */
export async function runCase(
  t: TestContext,
  stallTimeout: number | undefined,
  body: (t: TestContext) => void | Promise<void>,
): Promise<void> {
  const waits = new CaseWaits(stallTimeout);
  const guarded = waits.guard(t);
  running.set(guarded, waits);
  await waits.run(async () => body(guarded));
}

/**
 * Returns the waits of a running case, or unwatched waits for a context that belongs to no case.
 */
export function waitsOf(t: TestContext): CaseWaits {
  return running.get(t) ?? new CaseWaits();
}

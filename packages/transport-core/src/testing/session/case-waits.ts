// Finds the waits of a case by its context, for suites whose cases create their fixtures themselves.

import type { TestContext } from '@trunkline/transport-testkit';
import { CaseWaits } from '@trunkline/transport-testkit/internal';

const running = new WeakMap<TestContext, CaseWaits>();

/** Runs a case with a context of its own; see {@link CaseWaits.run}. */
export async function runCase(
  t: TestContext,
  body: (t: TestContext) => void | Promise<void>,
): Promise<void> {
  const waits = new CaseWaits();
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

// Finds the title and the waits of a case by its context, for suites whose cases create their
// fixtures themselves.

import type { TestContext } from '@trunkline/transport-testkit';
import { CaseWaits } from '@trunkline/transport-testkit/internal';

interface RunningCase {
  readonly title: string;
  readonly waits: CaseWaits;
}

const running = new WeakMap<TestContext, RunningCase>();

/** Runs a case with a context of its own; see {@link CaseWaits.run}. */
export async function runCase(
  t: TestContext,
  title: string,
  body: (t: TestContext) => void | Promise<void>,
): Promise<void> {
  const waits = new CaseWaits();
  const guarded = waits.guard(t);
  running.set(guarded, { title, waits });
  await waits.run(async () => body(guarded));
}

/**
 * Returns the waits of a running case, or unwatched waits for a context that belongs to no case.
 */
export function waitsOf(t: TestContext): CaseWaits {
  return running.get(t)?.waits ?? new CaseWaits();
}

/** Returns the title of a running case, or an empty text for a context that belongs to no case. */
export function titleOf(t: TestContext): string {
  return running.get(t)?.title ?? '';
}

// The outcome of a search as plain data, for tools.

import type { ExploreFailure, ExploreResult } from '@trunkline/simulation';
import type { Settings } from './settings.ts';

/** Returns the outcome of a search that took this many milliseconds, to be printed as JSON. */
export function outcomeOf(
  { passed, failed, virtualHours }: ExploreResult,
  settings: Settings,
  elapsed: number,
) {
  return { settings, passed, failed: failed.map(failureOf), virtualHours, elapsed };
}

/**
 * Describes a failure: the rule that broke, the smallest list of faults, the command that repeats
 * the run, and each node at that moment.
 */
function failureOf({ seed, error, trace, schedule, faults, replay }: ExploreFailure) {
  const { invariant: rule, at, message } = error;
  const { hash, nodes } = trace;
  const [text] = message.split('\n', 1);
  return { seed, rule, at, message: text, schedule, faults, replay, hash, nodes };
}

// The rules of a simulation: conditions that must always hold, or that must become true after all
// faults are over.

import type { EventLoop } from '../kernel/event-loop.ts';
import { describeError } from '../kernel/event-loop.ts';

/**
 * Checks after every event that `holds` neither returns false nor throws; otherwise the run fails.
 * Any other result counts as true, also a promise. Returns a function that removes the rule.
 */
export function always(loop: EventLoop, name: string, holds: () => unknown): () => void {
  const rule = () => {
    const broken = test(holds);
    if (broken !== undefined) throw loop.error(name, broken.text, broken.cause);
  };
  loop.rules.add(rule);
  return () => void loop.rules.delete(rule);
}

/**
 * Checks that `holds` becomes true, as `always` understands it, within `within` milliseconds after
 * the end of all faults, each time that they end. The run fails at the first event after that, so a
 * run that ends earlier does not fail. Returns a function that removes the rule.
 *
 * @param calmSince returns the time at which the last fault ended, or undefined while something is
 * wrong.
 */
export function eventually(
  loop: EventLoop,
  name: string,
  holds: () => unknown,
  within: number,
  calmSince: () => number | undefined,
): () => void {
  /** The start of the calm period in which the rule was last met. */
  let met: number | undefined;
  const rule = () => {
    const since = calmSince();
    if (since === undefined || since === met) return;
    const broken = test(holds);
    if (broken === undefined) met = since;
    else if (loop.now - since > within)
      throw loop.error(
        name,
        `${broken.text}, ${within} ms after the last fault was healed`,
        broken.cause,
      );
  };
  loop.rules.add(rule);
  return () => void loop.rules.delete(rule);
}

function test(
  holds: () => unknown,
): { readonly text: string; readonly cause?: unknown } | undefined {
  try {
    return holds() === false ? { text: 'it does not hold' } : undefined;
  } catch (error) {
    return { text: describeError(error), cause: error };
  }
}

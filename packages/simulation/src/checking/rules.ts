// The rules of a simulation: conditions that must always hold, or become true once all faults are
// over.

import type { World } from '../world/world.ts';
import { describeError } from '../world/world.ts';

/**
 * Checks after every event that `holds` neither returns false nor throws; otherwise the run fails.
 * Returns a function that removes the rule.
 */
export function always(world: World, name: string, holds: () => unknown): () => void {
  const rule = () => {
    const broken = test(holds);
    if (broken !== undefined) throw world.error(name, broken.text, broken.cause);
  };
  world.rules.add(rule);
  return () => void world.rules.delete(rule);
}

/**
 * Checks that `holds` becomes true within `within` milliseconds after each moment from which
 * nothing is wrong any more. Returns a function that removes the rule.
 *
 * @param calmSince returns that moment, or undefined while something is wrong.
 */
export function eventually(
  world: World,
  name: string,
  holds: () => unknown,
  within: number,
  calmSince: () => number | undefined,
): () => void {
  /** The start of the calm in which the rule was last met. */
  let met: number | undefined;
  const rule = () => {
    const since = calmSince();
    if (since === undefined || since === met) return;
    const broken = test(holds);
    if (broken === undefined) met = since;
    else if (world.now - since > within)
      throw world.error(
        name,
        `${broken.text}, ${within} ms after the last fault was healed`,
        broken.cause,
      );
  };
  world.rules.add(rule);
  return () => void world.rules.delete(rule);
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

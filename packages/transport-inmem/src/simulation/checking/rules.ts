// What must hold while a simulation runs: always, or again once the trouble is over.

import type { World } from '../world/world.ts';
import { describeError } from '../world/world.ts';

/** Checks after every event that `holds`; false or a throw ends the run. The returned function ends the check. */
export function always(world: World, name: string, holds: () => unknown): () => void {
  const rule = () => {
    const broken = test(holds);
    if (broken !== undefined) throw world.error(name, broken.text, broken.cause);
  };
  world.rules.add(rule);
  return () => void world.rules.delete(rule);
}

/**
 * Checks that `holds` comes to be true within `within` milliseconds of each moment from which nothing is wrong any more.
 * @param calmSince that moment; undefined while something is wrong.
 */
export function eventually(world: World, name: string, holds: () => unknown, within: number, calmSince: () => number | undefined): () => void {
  /** The calm in which it held. */
  let met: number | undefined;
  const rule = () => {
    const since = calmSince();
    if (since === undefined || since === met) return;
    const broken = test(holds);
    if (broken === undefined) met = since;
    else if (world.now - since > within) throw world.error(name, `${broken.text}, ${within} ms after all was well again`, broken.cause);
  };
  world.rules.add(rule);
  return () => void world.rules.delete(rule);
}

function test(holds: () => unknown): { readonly text: string; readonly cause?: unknown } | undefined {
  try {
    return holds() === false ? { text: 'it does not hold' } : undefined;
  } catch (error) {
    return { text: describeError(error), cause: error };
  }
}

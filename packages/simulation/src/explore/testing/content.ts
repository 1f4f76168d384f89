// The part of a search's result that tests compare.

import type { ExploreResult } from '../explore.ts';

/** Returns the part of a result that does not depend on the machine. */
export function content({ passed, failed, virtualHours }: ExploreResult) {
  return {
    passed,
    virtualHours,
    failed: failed.map(({ error, ...rest }) => ({
      ...rest,
      message: error.message,
      name: error.name,
      invariant: error.invariant,
      at: error.at,
    })),
  };
}

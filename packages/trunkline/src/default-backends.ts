// The backends of transports that are given none.

import type { Backend } from '@trunkline/transport-core';
import { createDefaultBackends } from '#backends';
import { warnOfCopies } from './system-copies.ts';

let shared: readonly Backend[] | undefined;

/** Returns the default backends, which all transports of the process share. */
export function defaultBackends(): readonly Backend[] {
  if (shared === undefined) {
    warnOfCopies();
    shared = createDefaultBackends();
  }
  return shared;
}

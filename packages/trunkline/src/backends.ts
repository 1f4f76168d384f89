// The backends that Node has.

import type { Backend } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { warnOfCopies } from './system-copies.ts';

export { tcp };

let shared: readonly Backend[] | undefined;

/** Returns the backends of transports that are given none; all of the process share them. */
export function defaultBackends(): readonly Backend[] {
  if (shared === undefined) {
    warnOfCopies();
    shared = [tcp(), ws(), inmem()];
  }
  return shared;
}

// The backends that Node has.

import type { Backend } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { warnOfCopies } from './system-copies.ts';

export { tcp };

/** Creates the backends of transports that are given none. */
export function createDefaultBackends(): readonly Backend[] {
  warnOfCopies();
  return [tcp(), ws(), inmem()];
}

// The transport suite: tests the promises of a Transport, with the same cases for every backend.

import { addressCases } from './addresses.ts';
import type { TransportBackend, TransportTest } from './backend.ts';
import { closingCases } from './closing.ts';
import { failureCases } from './failures.ts';
import { faultyLineCases } from './faulty-lines.ts';
import { helloCases } from './hellos.ts';
import { leakCases } from './leaks.ts';
import { livenessCases } from './liveness.ts';
import { orderCases } from './order.ts';
import { poolCases } from './pool.ts';
import { pressureCases } from './pressure.ts';
import { register } from './suite.ts';
import { targetCases } from './targets.ts';

/**
 * Declares every case for a backend: `transportSuite(test, { name: 'tcp', create, unreachable })`.
 * Pass the `test` function of your runner (AVA's fits unchanged); the suite imports no runner.
 * @throws TypeError if `skip` names an unknown case, gives no reason, or has more than seven
 * entries.
 */
export function transportSuite(test: TransportTest, backend: TransportBackend): void {
  register(test, backend, [
    leakCases,
    addressCases,
    failureCases,
    orderCases,
    pressureCases,
    poolCases,
    livenessCases,
    faultyLineCases,
    targetCases,
    helloCases,
    closingCases,
  ]);
}

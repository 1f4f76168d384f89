// The transport suite: tests the promises of a Transport, with the same cases for every backend.

import { addressCases } from './addresses.ts';
import type { TransportBackend, TransportTest } from './backend.ts';
import { callCases } from './calls.ts';
import { cancellationCases } from './cancellation.ts';
import { closingCases } from './closing.ts';
import { codecCases } from './codecs.ts';
import { deadlineCases } from './deadlines.ts';
import { failureCases } from './failures.ts';
import { faultyLineCases } from './faulty-lines.ts';
import { gatewayCases } from './gateways.ts';
import { helloCases } from './hellos.ts';
import { leakCases } from './leaks.ts';
import { livenessCases } from './liveness.ts';
import { mountCases } from './mounts.ts';
import { multicastCases } from './multicasts.ts';
import { observingCases } from './observing.ts';
import { oneWayCases } from './one-way.ts';
import { orderCases } from './order.ts';
import { poolCases } from './pool.ts';
import { pressureCases } from './pressure.ts';
import { readerCases } from './readers.ts';
import { reentrancyCases } from './reentrancy.ts';
import { reusedMemoryCases } from './reused-memory.ts';
import { streamBoundCases } from './stream-bounds.ts';
import { streamEndCases } from './stream-ends.ts';
import { streamCases } from './streaming.ts';
import { register } from './suite.ts';
import { targetCases } from './targets.ts';
import { traitCases } from './traits.ts';
import { trySendCases } from './try-send.ts';
import { unreadCases } from './unread.ts';

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
    callCases,
    failureCases,
    gatewayCases,
    unreadCases,
    codecCases,
    deadlineCases,
    cancellationCases,
    oneWayCases,
    trySendCases,
    streamCases,
    streamBoundCases,
    streamEndCases,
    reusedMemoryCases,
    orderCases,
    pressureCases,
    poolCases,
    livenessCases,
    faultyLineCases,
    targetCases,
    readerCases,
    reentrancyCases,
    helloCases,
    mountCases,
    multicastCases,
    observingCases,
    closingCases,
    traitCases,
  ]);
}

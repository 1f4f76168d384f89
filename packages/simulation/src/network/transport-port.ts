// The network's view of one transport.

import type { Clock } from '@trunkline/transport-core';
import type { StreamConnection } from '@trunkline/transport-core/backend';
import type { CallbackRunner } from '@trunkline/transport-inmem/layer';
import type { Incarnation } from './incarnation.ts';

/** A transport that dials, and may listen, on the simulated network. */
export interface TransportPort {
  readonly incarnation: Incarnation;
  readonly clock: Clock;
  /** Runs the callbacks of its connections. */
  readonly callbacks: CallbackRunner;
  /** Receives a connection that another node has dialed. */
  accept(connection: StreamConnection): void;
}

// One node's end of the network, as the network knows it.

import type { Clock, StreamConnection } from '@trunkline/transport-core';
import type { Turns } from '../../memory/turns.ts';
import type { Life } from './life.ts';

export interface Door {
  readonly life: Life;
  readonly clock: Clock;
  /** Where its connections' turns come from. */
  readonly turns: Pick<Turns, 'run' | 'stop'>;
  /** Somebody has dialled it. */
  accept(connection: StreamConnection): void;
}

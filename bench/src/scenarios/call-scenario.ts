// A scenario of calls, by the work that a client does to a server.

import type { Caller } from '../adapters/adapter.ts';
import type { Figures, Stopwatch } from '../stopwatch.ts';
import type { Scenario } from './scenario.ts';

/** The part of a scenario that runs in the client's process. */
export interface CallScenario extends Omit<Scenario, 'measure' | 'suits'> {
  /** The factor of the usual warm-up that the scenario needs. Default 1. */
  readonly warmUps?: number;
  /** Tells whether this caller can run it. */
  suits(caller: Caller): boolean;
  /**
   * Makes calls until the watch says stop, and checks every reply. May return figures in addition
   * to those of the watch.
   */
  run(caller: Caller, watch: Stopwatch): Promise<Partial<Figures> | void>;
}

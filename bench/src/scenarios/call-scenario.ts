// What a client does to a server in a scenario of calls.

import type { Caller } from '../adapters/adapter.ts';
import type { Figures, Stopwatch } from '../stopwatch.ts';
import type { Scenario } from './scenario.ts';

/** In the client's process. */
export interface CallScenario extends Omit<Scenario, 'measure' | 'suits'> {
  /** How many times the usual warm-up it takes; one where it is absent. */
  readonly warmUps?: number;
  /** Can it be asked of this caller? */
  suits(caller: Caller): boolean;
  /** Works until the watch says stop; every reply is checked. May give figures beside those of the watch. */
  run(caller: Caller, watch: Stopwatch): Promise<Partial<Figures> | void>;
}

// What is done to an adapter, and what is noted of it.

import type { Caller } from '../adapters/adapter.ts';
import type { Stopwatch } from '../stopwatch.ts';

export interface Scenario {
  /** As `--only` takes it. */
  readonly name: string;
  /** As the table shows it. */
  readonly title: string;
  /** A scenario whose figures of the same round it is compared with. */
  readonly against?: string;
  /** Can it be asked of this caller? */
  suits(caller: Caller): boolean;
  /** Works until the watch says stop; every reply is checked. */
  run(caller: Caller, watch: Stopwatch): Promise<void>;
}

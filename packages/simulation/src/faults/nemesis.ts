// The interface of a nemesis: it plans the faults of a simulation.

import type { Random } from '@trunkline/transport-core';
import type { ScheduledFault } from './fault.ts';

/** The input of a plan. */
export interface NemesisContext {
  /** The nodes, in order of declaration. */
  readonly nodes: readonly string[];
  /** A random generator for this nemesis alone, derived from the seed. */
  readonly random: Random;
  /** The virtual time, in milliseconds, from which faults may happen. */
  readonly from: number;
}

/**
 * Plans faults as data, so that a plan can be printed, replayed and shrunk. A good plan ends with
 * `{ do: 'recover' }`.
 */
export interface Nemesis {
  readonly name: string;
  plan(context: NemesisContext): ScheduledFault[];
}

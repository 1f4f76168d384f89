// A nemesis: who plans what goes wrong.

import type { Random } from '@trunkline/transport-core';
import type { ScheduledFault } from './fault.ts';

/** What a plan is made from. */
export interface NemesisContext {
  /** The nodes, in order of declaration. */
  readonly nodes: readonly string[];
  /** Of this nemesis alone, from the seed. */
  readonly random: Random;
  /** The virtual time from which faults may happen, in milliseconds. */
  readonly from: number;
}

/** Plans faults as data: so a plan can be printed, replayed, and made smaller. A good plan ends with `{ do: 'recover' }`. */
export interface Nemesis {
  readonly name: string;
  plan(context: NemesisContext): ScheduledFault[];
}

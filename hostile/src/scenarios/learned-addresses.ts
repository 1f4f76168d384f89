// Attacks on addresses that peers tell.

import type { Scenario } from '../scenario.ts';

export const learnedAddresses: readonly Scenario[] = [];

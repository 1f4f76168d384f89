// Attacks on gossip by crowds of nodes.

import type { Scenario } from '../scenario.ts';

export const crowds: readonly Scenario[] = [];

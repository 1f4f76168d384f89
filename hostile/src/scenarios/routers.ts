// Attacks on port mapping, clusters, resumption and balancing.

import type { Scenario } from '../scenario.ts';

export const routers: readonly Scenario[] = [];

// The ready-made nemeses, collected in one object.

import { kinds, swarm } from './swarm.ts';

/**
 * Functions that create nemeses: `createSimulation({ seed, nemesis: nemeses.swarm() })`. All
 * options are optional. Each nemesis plans trouble that comes and goes for `duration` (default
 * 30,000 virtual ms) and ends with `recover`. If there are too few nodes for its kind of trouble,
 * it plans only `recover`. When several nemeses run at once, a `heal` or crash of one also affects
 * what another has done.
 */
export const nemeses = { ...kinds, swarm } as const;

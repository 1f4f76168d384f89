// The ready nemeses, under one name.

import { kinds, swarm } from './swarm.ts';

/**
 * Functions that make nemeses: `createSimulation({ seed, nemesis: nemeses.swarm() })`. Each takes options, of which none is needed, and
 * plans trouble that comes and goes for `duration` (30,000 virtual ms), and at its end `recover`. Where there are too few nodes for
 * it, it plans `recover` alone. A crash that is planned after another nemesis's, or a `heal`, acts on what that one did too.
 */
export const nemeses = { ...kinds, swarm } as const;

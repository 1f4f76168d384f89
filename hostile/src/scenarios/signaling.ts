// Attacks on signaling hubs and WAMP routers, and on nodes behind them.

import type { Scenario } from '../scenario.ts';

export const signaling: readonly Scenario[] = [];

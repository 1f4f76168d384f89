// Attacks on a broker on which an attacker may publish.

import type { Scenario } from '../scenario.ts';

export const nats: readonly Scenario[] = [];

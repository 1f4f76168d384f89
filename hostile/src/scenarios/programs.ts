// Attacks on handlers, codecs, reflection, pages and certificates.

import type { Scenario } from '../scenario.ts';

export const programs: readonly Scenario[] = [];

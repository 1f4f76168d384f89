// Attacks on handlers, codecs, reflection, pages and certificates.

import type { Scenario } from '../scenario.ts';
import { webPages } from './web-pages.ts';

export const programs: readonly Scenario[] = [...webPages];

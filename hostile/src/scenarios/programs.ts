// Attacks on handlers, codecs, reflection, pages and certificates.

import type { Scenario } from '../scenario.ts';
import { tls } from './tls.ts';
import { tools } from './tools.ts';
import { webPages } from './web-pages.ts';

export const programs: readonly Scenario[] = [...webPages, ...tools, ...tls];

// Attacks by crowds of nodes: on gossip, and on streams that can be resumed.

import type { Scenario } from '../scenario.ts';
import { resumptionCrowd } from './resumption-crowd.ts';

export const crowds: readonly Scenario[] = [resumptionCrowd];

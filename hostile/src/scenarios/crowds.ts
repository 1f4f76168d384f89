// Attacks by crowds of nodes: on gossip, and on streams that can be resumed.

import type { Scenario } from '../scenario.ts';
import { gossipCrowd } from './gossip-crowd.ts';
import { resumptionCrowd } from './resumption-crowd.ts';

export const crowds: readonly Scenario[] = [...gossipCrowd, resumptionCrowd];

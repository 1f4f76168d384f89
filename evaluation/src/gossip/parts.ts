// The parts of the evaluation, in the order of the document.

import { attacksSection } from './attacks.ts';
import type { PartName } from './jobs.ts';
import { churnSection, swarmSection } from './life.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import type { Section } from './section.ts';
import { seenSection } from './seen.ts';
import { mendingSection, treesSection } from './trees.ts';
import { unseenSection } from './unseen.ts';

export const SECTIONS: Readonly<Record<PartName, (all: Sample, scale: Scale) => Section>> = {
  seen: seenSection,
  unseen: unseenSection,
  trees: treesSection,
  mending: mendingSection,
  churn: churnSection,
  swarm: swarmSection,
  attacks: attacksSection,
};

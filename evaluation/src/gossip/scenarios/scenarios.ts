// The scenarios of the evaluation by name, for scripts that run many seeds of them.

import { coldBoot, covertFlash, dawn, eclipse, sybilAttack } from './attacks.ts';
import { churn } from './churn.ts';
import { seen, unseen } from './failures.ts';
import type { Scenario } from './scenario.ts';
import { sizes } from './sizes.ts';
import { swarm } from './swarm.ts';
import { mending, stable } from './trees.ts';

export const scenarios: Readonly<Record<string, Scenario>> = {
  seen,
  unseen,
  stable,
  mending,
  churn,
  sizes,
  swarm,
  sybils: sybilAttack,
  eclipse,
  'cold-boot': coldBoot,
  'covert-flash': covertFlash,
  dawn,
};

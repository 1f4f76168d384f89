// The scenarios of calls, which a client's process runs.

import { alone } from './alone.ts';
import { beside, besideElsewhere } from './beside.ts';
import type { CallScenario } from './call-scenario.ts';
import { large, medium, oneWay, small } from './many.ts';

export const CALLS: readonly CallScenario[] = [
  alone,
  small,
  medium,
  large,
  oneWay,
  beside,
  besideElsewhere,
];

// The scenarios, in the order in which a round goes through them.

import { alone } from './alone.ts';
import { beside, besideElsewhere } from './beside.ts';
import { inFlight } from './in-flight.ts';
import type { Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [alone, inFlight, beside, besideElsewhere];

/** Those whose names begin with one of `names`, and those that they are compared with. @throws TypeError for a name that is none. */
export function scenariosOf(names: readonly string[]): Scenario[] {
  for (const name of names) {
    if (SCENARIOS.some((scenario) => scenario.name.startsWith(name))) continue;
    throw new TypeError(`--only: no scenario is named '${name}'; there are ${SCENARIOS.map((scenario) => scenario.name).join(', ')}`);
  }
  const wanted = SCENARIOS.filter((scenario) => names.length === 0 || names.some((name) => scenario.name.startsWith(name)));
  return SCENARIOS.filter((scenario) => wanted.includes(scenario) || wanted.some(({ against }) => against === scenario.name));
}

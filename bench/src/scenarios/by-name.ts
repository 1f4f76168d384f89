// The scenarios, in the order of a round.

import { ADAPTER_NAMES } from '../adapters/by-name.ts';
import { PEER_NAMES } from '../adapters/peers.ts';
import { named } from '../named.ts';
import { measurePair } from '../pair.ts';
import type { CallScenario } from './call-scenario.ts';
import { CALLS } from './calls.ts';
import { fanOut } from './fan-out.ts';
import { idle } from './idle.ts';
import type { Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [...CALLS.map(measured), fanOut, idle];

/** Returns the named scenarios. @throws TypeError if no scenario has a given name. */
export function scenariosOf(names: readonly string[]): Scenario[] {
  return named('scenario', 'scenario', SCENARIOS, ({ name }) => name, names);
}

function measured({ name, title, figures, against }: CallScenario): Scenario {
  return {
    name,
    title,
    figures,
    ...(against !== undefined && { against }),
    suits: (adapter) => ADAPTER_NAMES.includes(adapter) || PEER_NAMES.includes(adapter),
    measure: (adapter, setting) => measurePair(adapter, name, setting),
  };
}

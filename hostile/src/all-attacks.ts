// The list of all attacks, by name.

import type { Attack } from './attack.ts';
import { floods } from './attacks/floods.ts';
import { frames } from './attacks/frames.ts';
import { handshakes } from './attacks/handshakes.ts';
import { memory } from './attacks/memory.ts';
import { nodes } from './attacks/nodes.ts';
import { payloads } from './attacks/payloads.ts';
import { secure } from './attacks/secure.ts';
import { webSocket } from './attacks/web-socket.ts';
import type { Scenario } from './scenario.ts';
import { cancels } from './scenarios/cancels.ts';
import { crowds } from './scenarios/crowds.ts';
import { learnedAddresses } from './scenarios/learned-addresses.ts';
import { nats } from './scenarios/nats.ts';
import { programs } from './scenarios/programs.ts';
import { routers } from './scenarios/routers.ts';
import { signaling } from './scenarios/signaling.ts';

export const ATTACKS: readonly Attack[] = [
  ...handshakes,
  ...frames,
  ...payloads,
  ...floods,
  ...memory,
  ...secure,
  ...webSocket,
  ...nodes,
];

/** The attacks that bring their own victim. */
export const SCENARIOS: readonly Scenario[] = [
  ...cancels,
  ...nats,
  ...signaling,
  ...learnedAddresses,
  ...crowds,
  ...routers,
  ...programs,
];

/**
 * Returns the attacks and the scenarios whose names begin with one of `names`; without names, all.
 * @throws TypeError if a name fits none.
 */
export function attacksNamed(names: readonly string[]): {
  readonly attacks: readonly Attack[];
  readonly scenarios: readonly Scenario[];
} {
  for (const name of names) {
    if ([...ATTACKS, ...SCENARIOS].some((attack) => attack.name.startsWith(name))) continue;
    throw new TypeError(`no attack is named '${name}'; the attacks are ${NAMES.join(', ')}`);
  }
  const isWanted = (attack: { readonly name: string }) =>
    names.length === 0 || names.some((name) => attack.name.startsWith(name));
  return { attacks: ATTACKS.filter(isWanted), scenarios: SCENARIOS.filter(isWanted) };
}

/** The names of all attacks and scenarios, in the order of the report. */
export const NAMES: readonly string[] = [...ATTACKS, ...SCENARIOS].map(({ name }) => name);

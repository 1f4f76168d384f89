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

/**
 * Returns the attacks whose names begin with one of `names`; without names, all.
 * @throws TypeError if a name fits no attack.
 */
export function attacksNamed(names: readonly string[]): readonly Attack[] {
  for (const name of names) {
    if (!ATTACKS.some((attack) => attack.name.startsWith(name))) {
      throw new TypeError(
        `no attack is named '${name}'; the attacks are ${ATTACKS.map((attack) => attack.name).join(', ')}`,
      );
    }
  }
  return names.length === 0
    ? ATTACKS
    : ATTACKS.filter((attack) => names.some((name) => attack.name.startsWith(name)));
}

// Every attack, by name.

import type { Attack } from './attack.ts';
import { floods } from './attacks/floods.ts';
import { frames } from './attacks/frames.ts';
import { handshakes } from './attacks/handshakes.ts';
import { memory } from './attacks/memory.ts';
import { nodes } from './attacks/nodes.ts';
import { payloads } from './attacks/payloads.ts';
import { secure } from './attacks/secure.ts';
import { webSocket } from './attacks/web-socket.ts';

export const ATTACKS: readonly Attack[] = [...handshakes, ...frames, ...payloads, ...floods, ...memory, ...secure, ...webSocket, ...nodes];

/** Those whose names begin with one of these; without any, all. @throws TypeError for a name that fits none. */
export function attacksNamed(names: readonly string[]): readonly Attack[] {
  for (const name of names) {
    if (!ATTACKS.some((attack) => attack.name.startsWith(name))) {
      throw new TypeError(`no attack is named '${name}'; there are ${ATTACKS.map((attack) => attack.name).join(', ')}`);
    }
  }
  return names.length === 0 ? ATTACKS : ATTACKS.filter((attack) => names.some((name) => attack.name.startsWith(name)));
}

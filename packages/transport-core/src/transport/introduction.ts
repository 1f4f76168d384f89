// What a transport says of itself to every peer.

import { type Random, randomBytes } from '../random.ts';
import type { Introduction } from '../session/handshake.ts';
import type { Membership } from '../stream/membership.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';

/** Whom it speaks for: what may change while it lives. */
export interface Introduced {
  readonly layer: StreamLayer;
  readonly listening: boolean;
  readonly membership: Membership | undefined;
}

/** What it says instead to a peer that proves no id: without its own, unless the membership asserts it all the same. */
export function introduceUnproven(self: Introduction, network: Introduced): Introduction {
  return {
    instance: self.instance,
    network: self.network,
    get nodeId() {
      return network.membership?.asserts === false ? '' : self.nodeId;
    },
    get addr() {
      return self.addr;
    },
  };
}

export function introduce(network: Introduced, name: string, random: Random): Introduction {
  const instance = Array.from(randomBytes(random, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    instance,
    network: name,
    get nodeId() {
      return network.membership?.nodeId ?? '';
    },
    get addr() {
      if (!network.listening) return '';
      try {
        return network.layer.advertiseAddr();
      } catch {
        // Its listener broke and is not mended yet.
        return '';
      }
    },
  };
}

// The identity that a transport presents to every peer.

import { type Random, randomBytes } from '../random.ts';
import type { Membership } from '../stream/membership.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';
import type { Introduction } from '../wire/hello.ts';

/** The parts of a transport that determine its identity and may change while it runs. */
export interface Introduced {
  readonly layer: StreamLayer;
  readonly listening: boolean;
  readonly membership: Membership | undefined;
}

/**
 * Returns the identity for a peer that proves no id: the same, but without the node id if the
 * membership does not assert it.
 */
export function introduceUnproven(self: Introduction, engine: Introduced): Introduction {
  return {
    instance: self.instance,
    network: self.network,
    get nodeId() {
      return engine.membership?.asserts === false ? '' : self.nodeId;
    },
    get addr() {
      return self.addr;
    },
  };
}

/** Returns the identity of a transport, with a new random instance id. */
export function introduce(engine: Introduced, name: string, random: Random): Introduction {
  const instance = Array.from(randomBytes(random, 16), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  return {
    instance,
    network: name,
    get nodeId() {
      return engine.membership?.nodeId ?? '';
    },
    get addr() {
      if (!engine.listening) return '';
      try {
        return engine.layer.advertiseAddr();
      } catch {
        // The listener has failed and has not been restarted yet.
        return '';
      }
    },
  };
}

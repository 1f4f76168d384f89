// What a transport says of itself to every peer.

import { type Random, randomBytes } from '../random.ts';
import type { Introduction } from '../session/handshake.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';

export function introduce(layer: StreamLayer, network: string, random: Random, isListening: () => boolean): Introduction {
  const instance = Array.from(randomBytes(random, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    instance,
    network,
    nodeId: '',
    get addr() {
      if (!isListening()) return '';
      try {
        return layer.advertiseAddr();
      } catch {
        // Its listener broke and is not mended yet.
        return '';
      }
    },
  };
}

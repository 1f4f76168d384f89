// Stream layers of WebRTC in one realm in memory, as the suites create them.

import type { Clock } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { createMemorySignaling } from '../memory-signaling.ts';
import type { RtcLibrary } from '../rtc.ts';
import { createWebRtcStreamLayer } from '../webrtc.ts';

/** A realm in which each layer gets an id of its own. */
export interface TestRealm {
  layer(options?: {
    readonly address?: string | undefined;
    readonly advertiseAddr?: string | undefined;
    readonly clock?: Clock | undefined;
  }): StreamLayer;
}

/**
 * @param rtc the libraries of the layers, in the order of their creation; undefined stands for the
 *   default library.
 */
export function createTestRealm(...rtc: (RtcLibrary | undefined)[]): TestRealm {
  const signaling = createMemorySignaling();
  let count = 0;
  return {
    layer: ({ address, advertiseAddr, clock } = {}) => {
      const id = address?.replace('webrtc://', '') ?? `node-${++count}`;
      return createWebRtcStreamLayer({
        signal: signaling.signal(id),
        advertiseAddr,
        clock,
        rtc: rtc[count % Math.max(1, rtc.length)],
      });
    },
  };
}

/**
 * The time limit for making a connection, in milliseconds of real time, even if packets are lost:
 * DTLS repeats them after 1, 3, 7 and 15 s.
 */
export const HANDSHAKE_TIME = 30_000;
/**
 * The time after which bytes on their way count as lost, in milliseconds of real time: more than
 * the first four repetitions of DTLS take.
 */
export const LOST_AFTER = 20_000;

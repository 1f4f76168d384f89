// WebRTC as a backend of the session suite.

import type { Clock } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTransitWatch } from '@trunkline/transport-testkit';
import type { SessionBackend } from '@trunkline/transport-testkit/session';
import type { RtcLibrary } from '../rtc.ts';
import { createTestRealm, HANDSHAKE_TIME, LOST_AFTER } from './layers.ts';

/** Creates the backend, on node-datachannel unless there is another library. */
export function createSessionBackend(name: string, rtc?: RtcLibrary): SessionBackend {
  return {
    name,
    dialsWait: true,
    stallTimeout: HANDSHAKE_TIME,
    place() {
      const realm = createTestRealm(rtc);
      const transit = createTransitWatch({ lostAfter: LOST_AFTER });
      const layer = (clock?: Clock) => transit.watch(realm.layer({ clock }));
      return {
        layer,
        transport: (options) => new NetworkTransport({ ...options, stream: layer(options.clock) }),
        isBusy: transit.isBusy,
      };
    },
  };
}

// Session tests over WebRTC.

import type { Clock } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTransitWatch, sessionSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { atOnce } from './testing/at-once.ts';
import { createTestRealm, HANDSHAKE_TIME, LOST_AFTER } from './testing/layers.ts';

sessionSuite(atOnce(8, test), {
  name: 'webrtc',
  dialsWait: true,
  stallTimeout: HANDSHAKE_TIME,
  place() {
    const realm = createTestRealm();
    const transit = createTransitWatch({ lostAfter: LOST_AFTER });
    const layer = (clock?: Clock) => transit.watch(realm.layer({ clock }));
    return {
      layer,
      transport: (options) => new NetworkTransport({ ...options, stream: layer(options.clock) }),
      isBusy: transit.isBusy,
    };
  },
});

// Session tests over WebRTC.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import { sessionSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTestRealm } from './testing/layers.ts';

sessionSuite(test, {
  name: 'webrtc',
  dialsWait: true,
  place() {
    const realm = createTestRealm();
    return {
      layer: () => realm.layer(),
      transport: (options) =>
        new NetworkTransport({ ...options, stream: realm.layer({ clock: options.clock }) }),
    };
  },
});

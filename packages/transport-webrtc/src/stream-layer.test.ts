// Stream layer tests of WebRTC on node-datachannel.

import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { atOnce } from './testing/at-once.ts';
import { createTestRealm, HANDSHAKE_TIME } from './testing/layers.ts';

streamLayerSuite(atOnce(8, test), {
  name: 'webrtc',
  stallTimeout: HANDSHAKE_TIME,
  make: ({ clock }) => {
    const realm = createTestRealm();
    return {
      layer: (address, advertiseAddr) => realm.layer({ address, advertiseAddr, clock }),
      malformed: ['', 'two words', 'tcp://node', 'webrtc://', 'webrtc://a:1'],
    };
  },
});

// Stream layer tests of WebRTC on werift.

import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import * as werift from 'werift';
import type { RtcLibrary } from './rtc.ts';
import { atOnce } from './testing/at-once.ts';
import { createTestRealm, HANDSHAKE_TIME } from './testing/layers.ts';

streamLayerSuite(atOnce(1, test), {
  name: 'webrtc on werift',
  stallTimeout: HANDSHAKE_TIME,
  make: ({ clock }) => {
    const realm = createTestRealm(werift as unknown as RtcLibrary);
    return {
      layer: (address, advertiseAddr) => realm.layer({ address, advertiseAddr, clock }),
      malformed: ['', 'two words', 'tcp://node', 'webrtc://', 'webrtc://a:1'],
    };
  },
});

// The stream layer suite over WebRTC, between two peer connections of the page.

import { streamLayerSuite, type TestFunction } from '@trunkline/transport-testkit';
import { createMemorySignaling } from '@trunkline/transport-webrtc';
import { createWebRtcStreamLayer } from '@trunkline/transport-webrtc/layer';

/**
 * The real milliseconds without an event after which a case counts as hanging. The page may have
 * time to spare while the browser's other processes are busy, and DTLS repeats lost packets after
 * 1, 3, 7 and 15 s.
 */
const STALL_TIMEOUT = 30_000;

export function webrtcCases(test: TestFunction): void {
  streamLayerSuite(test, {
    name: 'page on webrtc',
    stallTimeout: STALL_TIMEOUT,
    make({ clock }) {
      const signaling = createMemorySignaling();
      let count = 0;
      return {
        layer(bindAddr, advertiseAddr) {
          const id = bindAddr?.replace('webrtc://', '') ?? `node-${++count}`;
          return createWebRtcStreamLayer({ signal: signaling.signal(id), advertiseAddr, clock });
        },
        malformed: ['', 'two words', 'tcp://node', 'webrtc://', 'webrtc://a:1'],
      };
    },
  });
}

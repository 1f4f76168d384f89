// The browser's WebRTC, for cases that open hundreds of connections one after the other.

import type { RtcLibrary } from '@trunkline/transport-webrtc';

declare const RTCPeerConnection: RtcLibrary['RTCPeerConnection'];
/** Collects garbage: the browser offers it as a global to these tests. */
declare function gc(): void;

let created = 0;

/**
 * Collects garbage before every fiftieth peer connection: Chromium counts closed ones, of which it
 * allows a page 500, until they are collected.
 */
export const collectingRtc: RtcLibrary = {
  RTCPeerConnection: class extends RTCPeerConnection {
    constructor(configuration: unknown) {
      if (++created % 50 === 0) gc();
      super(configuration);
    }
  },
};

// The WebRTC implementation that is built into a browser.

import { TransportError } from '@trunkline/transport-core';
import type { RtcLibrary } from './rtc.ts';

/** Returns the browser's WebRTC; rejects with `unimplemented` if the runtime has none. */
export async function loadRtc(): Promise<RtcLibrary> {
  const rtc = globalThis as { RTCPeerConnection?: RtcLibrary['RTCPeerConnection'] };
  if (rtc.RTCPeerConnection === undefined)
    throw new TransportError(
      'unimplemented',
      "This runtime has no RTCPeerConnection: pass a WebRTC library as the option 'rtc'",
    );
  return { RTCPeerConnection: rtc.RTCPeerConnection };
}

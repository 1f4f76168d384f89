// The WebRTC implementation that is built into a browser.

import { TransportError } from '@trunkline/transport-core';
import type { RtcLibrary, RtcPeerConnection } from './rtc.ts';

/** The runtime's own RTCPeerConnection; Node has none. */
const ownConnection = () =>
  (globalThis as { RTCPeerConnection?: RtcLibrary['RTCPeerConnection'] }).RTCPeerConnection;

/** Returns true for a peer connection of the browser itself, and false for one of a library. */
export function isNative(peer: RtcPeerConnection): boolean {
  const RTCPeerConnection = ownConnection();
  return RTCPeerConnection !== undefined && peer instanceof RTCPeerConnection;
}

/** Returns the browser's WebRTC; rejects with `unimplemented` if the runtime has none. */
export async function loadRtc(): Promise<RtcLibrary> {
  const RTCPeerConnection = ownConnection();
  if (RTCPeerConnection === undefined)
    throw new TransportError(
      'unimplemented',
      "This runtime has no RTCPeerConnection: pass a WebRTC library as the option 'rtc'",
    );
  return { RTCPeerConnection };
}

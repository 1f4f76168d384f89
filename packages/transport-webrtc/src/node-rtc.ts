// The WebRTC library of Node: node-datachannel, which users install if they want it. No other file
// imports it.

import { TransportError } from '@trunkline/transport-core';
import type { RtcLibrary } from './rtc.ts';

/** Loads node-datachannel; rejects with `unimplemented` if it isn't installed or can't be loaded. */
export async function loadRtc(): Promise<RtcLibrary> {
  try {
    const { RTCPeerConnection } = await import('node-datachannel/polyfill');
    return { RTCPeerConnection: RTCPeerConnection as unknown as RtcLibrary['RTCPeerConnection'] };
  } catch (cause) {
    throw new TransportError(
      'unimplemented',
      "WebRTC in Node needs node-datachannel, which could not be loaded: install it (npm install node-datachannel@^0.33.4), or pass another library as the option 'rtc'",
      { cause },
    );
  }
}

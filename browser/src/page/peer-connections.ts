// Many peer connections in one page, of which Chromium allows 500.

import { createTransport, serve } from '@trunkline/transport-core';
import { createMemorySignaling, type RtcLibrary, webrtc } from '@trunkline/transport-webrtc';
import { lines } from '../lines.ts';

declare const RTCPeerConnection: RtcLibrary['RTCPeerConnection'];
/** Collects garbage: the browser offers it as a global to these tests. */
declare function gc(): void;

const spare: { close(): unknown }[] = [];
const signaling = createMemorySignaling();
let cycles = 0;

export const peerConnections = {
  /** Creates peer connections until the browser refuses; returns the name of its error. */
  fill(): string {
    try {
      for (;;) spare.push(new RTCPeerConnection({}));
    } catch (error) {
      return (error as Error).name;
    }
  },

  /** Closes these peer connections, and collects garbage. */
  release(): void {
    for (const peer of spare.splice(0)) peer.close();
    gc();
  },

  /** So many times, opens two transports, makes a call from one to the other, and closes both. */
  async openAndClose(times: number): Promise<void> {
    for (const end = cycles + times; cycles < end; cycles++) {
      const [server, client] = ['server', 'client'].map((name) =>
        createTransport('webrtc://0', {
          protocol: lines,
          backends: [webrtc({ signal: signaling.signal(`${name}-${cycles}`) })],
        }),
      );
      serve(server!, { echo: (request) => request, wait: () => new Promise(() => {}) });
      await server!.listen();
      await client!.send(server!.localAddr(), 'echo', new Uint8Array(10_000));
      await Promise.all([client!.close(), server!.close()]);
    }
  },
};

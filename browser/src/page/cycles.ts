// A page that opens and closes WebRTC connections, one after the other.

import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { createMemorySignaling, webrtc } from '@trunkline/transport-webrtc';

const protocol = defineProtocol({
  name: 'cycles',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
const signaling = createMemorySignaling();
let cycles = 0;

/** Opens two transports, makes a call from one to the other, and closes both. */
async function cycle(): Promise<void> {
  const [server, client] = ['server', 'client'].map((name) =>
    createTransport('webrtc://0', {
      protocol,
      backends: [webrtc({ signal: signaling.signal(`${name}-${cycles}`) })],
    }),
  );
  cycles++;
  serve(server!, { echo: (request) => request });
  await server!.listen();
  await client!.send(server!.localAddr(), 'echo', new Uint8Array(10_000));
  await Promise.all([client!.close(), server!.close()]);
}

Object.assign(globalThis, {
  /** Opens and closes so many connections, one after the other. */
  async openAndClose(count: number) {
    for (let i = 0; i < count; i++) await cycle();
  },
});

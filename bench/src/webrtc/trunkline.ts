// Trunkline over WebSocket and WebRTC, with an identity and a hub on the same server. Runs in Node
// and in a page.

import { createIdentity } from '@trunkline/security';
import {
  bytes,
  createTransport,
  defineProtocol,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import { createHubSignal } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import type { Link } from './tasks.ts';

const protocol = defineProtocol({
  name: 'bench-webrtc',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    put: { id: 2, request: bytes, response: bytes },
  },
});
const RECEIPT = new Uint8Array(8);

/** Opens a transport on WebRTC with a hub, otherwise on WebSocket. */
function open(hub: string | undefined): Transport<typeof protocol> {
  const options = { protocol, maxPool: 1 };
  if (hub === undefined)
    return createTransport('ws://127.0.0.1:0', { ...options, backends: [ws()] });
  const identity = createIdentity();
  const signal = createHubSignal({ address: hub, backends: [ws()], identity });
  return createTransport('webrtc://0', { ...options, backends: [webrtc({ signal, identity })] });
}

/** Serves on WebRTC with a hub, otherwise on WebSocket, and returns the address. */
export async function listen(hub?: string): Promise<string> {
  const transport = open(hub);
  serve(transport, { echo: (request) => request, put: () => RECEIPT });
  await transport.listen();
  return transport.localAddr();
}

/** Dials a server of `listen`, with the same hub if it has one. */
export async function dial(address: string, hub?: string): Promise<Link> {
  const transport = open(hub);
  const remote = await transport.dial(address);
  return {
    call: (request) => transport.send(remote, 'echo', request),
    put: async (message) => void (await transport.send(remote, 'put', message)),
    close: () => transport.close(),
  };
}

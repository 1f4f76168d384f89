// Trunkline over WebSocket and WebRTC, with an identity and a hub on the same server. Runs in Node
// and in a page.

import { createIdentity } from '@trunkline/security';
import {
  bytes,
  type CommonOptions,
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
type Protocol = typeof protocol;
const OPTIONS = { maxPool: 1 } satisfies CommonOptions;
const RECEIPT = new Uint8Array(8);

/** Serves on WebSocket; resolves with the address. */
export async function serveWs(): Promise<string> {
  return listening(createTransport('ws://127.0.0.1:0', { protocol, ...OPTIONS, backends: [ws()] }));
}

/** Serves on WebRTC; resolves with the address. */
export async function serveWebRtc(hub: string): Promise<string> {
  return listening(webRtc(hub));
}

/** Dials a server of `serveWs` or, with a hub, of `serveWebRtc`. */
export async function dial(address: string, hub?: string): Promise<Link> {
  const transport =
    hub === undefined
      ? createTransport('ws://127.0.0.1:0', { protocol, ...OPTIONS, backends: [ws()] })
      : webRtc(hub);
  const remote = await transport.dial(address);
  return {
    call: (request) => transport.send(remote, 'echo', request),
    put: async (message) => void (await transport.send(remote, 'put', message)),
    close: () => transport.close(),
  };
}

async function listening(transport: Transport<Protocol>): Promise<string> {
  serve(transport, { echo: (request) => request, put: () => RECEIPT });
  await transport.listen();
  return transport.localAddr();
}

function webRtc(hub: string): Transport<Protocol> {
  const identity = createIdentity();
  const signal = createHubSignal({ address: hub, backends: [ws()], identity });
  const backends = [webrtc({ signal, identity })];
  return createTransport('webrtc://0', { protocol, backends, ...OPTIONS });
}

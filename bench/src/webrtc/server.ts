// The process of the server: every column is served, and a hub for signaling. It ends when its
// parent disconnects.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createTransport } from '@trunkline/transport-core';
import { createSignalHub, signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { type WebSocket, WebSocketServer } from 'ws';
import { offer } from '../commands.ts';
import { acceptChannel, serveWire, webSocketWire } from './bare.ts';
import type { Addresses } from './columns.ts';
import { serveWebRtc, serveWs } from './trunkline.ts';

const rtc = { RTCPeerConnection } as any;
const transport = createTransport('ws://127.0.0.1:0', {
  protocol: signalingProtocol,
  backends: [ws()],
});
createSignalHub({ transport });
await transport.listen();
const hub = transport.localAddr();

const addresses: Addresses = {
  hub,
  bareWs: await listen((socket) => serveWire(webSocketWire(socket))),
  offers: await listen((socket) =>
    socket.once('message', async (offer) => socket.send(await acceptChannel(rtc, String(offer)))),
  ),
  trunklineWs: await serveWs(),
  trunklineWebRtc: await serveWebRtc(hub),
};
const commands = { addresses: () => addresses };
export type ServerCommands = typeof commands;

offer(commands, () => process.kill(process.pid, 'SIGKILL'));

async function listen(connected: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: false,
  });
  server.on('connection', connected);
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

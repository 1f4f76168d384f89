// The process of the server, which serves one column. It ends when its parent disconnects.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createTransport } from '@trunkline/transport-core';
import { createSignalHub, signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { type WebSocket, WebSocketServer } from 'ws';
import { runCommands } from '../commands.ts';
import { acceptChannel, serveWire, webSocketWire } from './bare.ts';
import type { Address, Column } from './columns.ts';
import { listen } from './trunkline.ts';

const rtc = { RTCPeerConnection } as any;
const commands = {
  /** Serves a column, and returns its addresses. */
  async serve(column: Column): Promise<Address> {
    if (column === 'trunkline-ws') return { address: await listen() };
    if (column === 'bare-ws')
      return { address: await listenBare((socket) => serveWire(webSocketWire(socket))) };
    if (column === 'bare-channel')
      return {
        address: await listenBare((socket) =>
          socket.once('message', async (offer) =>
            socket.send(await acceptChannel(rtc, String(offer))),
          ),
        ),
      };
    const transport = createTransport('ws://127.0.0.1:0', {
      protocol: signalingProtocol,
      backends: [ws()],
    });
    createSignalHub({ transport });
    await transport.listen();
    const hub = transport.localAddr();
    return { address: await listen(hub), hub };
  },
};
export type ServerCommands = typeof commands;

runCommands(commands, () => process.kill(process.pid, 'SIGKILL'));

async function listenBare(connected: (socket: WebSocket) => void): Promise<string> {
  const options = { port: 0, host: '127.0.0.1', perMessageDeflate: false };
  const server = new WebSocketServer(options);
  server.on('connection', connected);
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

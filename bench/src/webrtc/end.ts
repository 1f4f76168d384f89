// A process of a measurement, which serves one column or measures it as a client in Node. It ends
// when its parent disconnects.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createTransport } from '@trunkline/transport-core';
import { createSignalHub, signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { WebSocket, WebSocketServer } from 'ws';
import { runCommands } from '../commands.ts';
import { acceptChannel, serveWire, webSocketWire } from './bare.ts';
import { type Address, type Column, connect, type Libraries } from './columns.ts';
import { measure, type Times } from './tasks.ts';
import { listen } from './trunkline.ts';

export interface Command extends Times {
  readonly column: Column;
  readonly at: Address;
}

const rtc = { RTCPeerConnection } as any;
const libraries = { WebSocket, rtc } as Libraries;
const commands = {
  /** Serves a column, and returns its addresses. */
  async serve(column: Column): Promise<Address> {
    if (column === 'trunkline-ws') return { address: await listen() };
    if (column === 'bare-ws') return listenBare((socket) => serveWire(webSocketWire(socket)));
    if (column === 'bare-channel')
      return listenBare((socket) =>
        socket.once('message', async (offer) =>
          socket.send(await acceptChannel(rtc, String(offer))),
        ),
      );
    const options = { protocol: signalingProtocol, backends: [ws()] };
    const transport = createTransport('ws://127.0.0.1:0', options);
    createSignalHub({ transport });
    await transport.listen();
    const hub = transport.localAddr();
    return { address: await listen(hub), hub };
  },

  measure: ({ column, at, ...times }: Command) =>
    measure(() => connect(column, at, libraries), times),
};
export type EndCommands = typeof commands;

runCommands(commands, () => process.kill(process.pid, 'SIGKILL'));

async function listenBare(connected: (socket: WebSocket) => void): Promise<Address> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', connected);
  await once(server, 'listening');
  return { address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

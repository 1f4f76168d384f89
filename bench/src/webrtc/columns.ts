// The measured columns, and how a client of each connects. Runs in Node and in a page.

import type { RtcLibrary } from '@trunkline/transport-webrtc';
import { dialChannel, event, linkOf, type PlainWebSocket, webSocketWire } from './bare.ts';
import type { Link } from './tasks.ts';
import { dial } from './trunkline.ts';

export const COLUMNS = ['bare-channel', 'trunkline-webrtc', 'bare-ws', 'trunkline-ws'] as const;
export type Column = (typeof COLUMNS)[number];

/** The column that each of ours is compared with. */
export const AGAINST: ReadonlyMap<Column, Column> = new Map([
  ['trunkline-webrtc', 'bare-channel'],
  ['trunkline-ws', 'bare-ws'],
]);

/** The addresses of a server. */
export interface Address {
  /** The address to dial; for a bare channel, that of a WebSocket which takes an offer. */
  readonly address: string;
  /** The address of the signaling hub; set only for Trunkline over WebRTC. */
  readonly hub?: string;
}

/** The libraries that hand-written code uses: those of a page, or packages. */
export interface Libraries {
  readonly WebSocket: new (url: string) => PlainWebSocket;
  readonly rtc: RtcLibrary;
}

export async function connect(
  column: Column,
  { address, hub }: Address,
  { WebSocket, rtc }: Libraries,
): Promise<Link> {
  if (column.startsWith('trunkline')) return dial(address, hub);
  const open = async () => {
    const socket = new WebSocket(address);
    await event(socket, 'open');
    return socket;
  };
  if (column === 'bare-ws') return linkOf(webSocketWire(await open()));
  const wire = await dialChannel(rtc, async (offer) => {
    const socket = await open();
    const answer = event(socket, 'message');
    socket.send(offer);
    const { data } = await answer;
    socket.close();
    return String(data);
  });
  return linkOf(wire);
}

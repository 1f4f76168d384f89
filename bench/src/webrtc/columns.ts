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
export interface Addresses {
  readonly bareWs: string;
  /** Takes an offer and sends an answer. */
  readonly offers: string;
  readonly hub: string;
  readonly trunklineWs: string;
  readonly trunklineWebRtc: string;
}

/** The libraries that hand-written code uses: those of a page, or packages. */
export interface Libraries {
  readonly WebSocket: new (url: string) => PlainWebSocket;
  readonly rtc: RtcLibrary;
}

export async function connect(
  column: Column,
  addresses: Addresses,
  { WebSocket, rtc }: Libraries,
): Promise<Link> {
  const open = async (url: string) => {
    const socket = new WebSocket(url);
    await event(socket, 'open');
    return socket;
  };
  if (column === 'trunkline-ws') return dial(addresses.trunklineWs);
  if (column === 'trunkline-webrtc') return dial(addresses.trunklineWebRtc, addresses.hub);
  if (column === 'bare-ws') return linkOf(webSocketWire(await open(addresses.bareWs)));
  const wire = await dialChannel(rtc, async (offer) => {
    const socket = await open(addresses.offers);
    const answer = event(socket, 'message');
    socket.send(offer);
    const { data } = await answer;
    socket.close();
    return String(data);
  });
  return linkOf(wire);
}

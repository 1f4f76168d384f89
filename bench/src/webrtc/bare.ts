// Hand-written echo and large messages over a WebSocket or a data channel. Both ends, in Node and
// in a page.

import type { RtcDataChannel, RtcLibrary, RtcPeerConnection } from '@trunkline/transport-webrtc';
import { LARGE, type Link } from './tasks.ts';

/** The part of a WebSocket, of `ws` or a browser, that is used. */
export interface PlainWebSocket {
  binaryType: any;
  addEventListener(type: string, listener: (event: any) => void): void;
  send(data: any): void;
  close(): void;
}

export interface Wire {
  send(message: Uint8Array): void;
  /** Sends a large message, with back-pressure. */
  sendLarge(message: Uint8Array): Promise<void> | undefined;
  received(handler: (message: Uint8Array) => void): void;
  close(): void;
}

export function webSocketWire(socket: PlainWebSocket): Wire {
  socket.binaryType = 'arraybuffer';
  return {
    send: (message) => socket.send(message),
    sendLarge: (message) => void socket.send(message),
    received: (handler) =>
      socket.addEventListener('message', ({ data }) => handler(new Uint8Array(data))),
    close: () => socket.close(),
  };
}

export function channelWire(channel: RtcDataChannel, peer: RtcPeerConnection): Wire {
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = LOW;
  return {
    send: (message) => channel.send(message),
    async sendLarge(message) {
      for (let at = 0; at < message.length; at += PIECE) {
        channel.send(message.subarray(at, at + PIECE));
        if (channel.bufferedAmount >= HIGH) await event(channel, 'bufferedamountlow');
      }
    },
    received: (handler) =>
      channel.addEventListener('message', ({ data }) => handler(new Uint8Array(data))),
    close: () => void peer.close(),
  };
}

/**
 * Answers each small message with itself. A large one is put together in one piece of memory, as a
 * handler gets it, and is answered by a receipt.
 */
export function serveWire(wire: Wire): void {
  let large: Uint8Array | undefined;
  let size = 0;
  wire.received((message) => {
    if (message.length < PIECE) return wire.send(message);
    // A WebSocket delivers it whole, a channel in pieces.
    if (message.length < LARGE) (large ??= new Uint8Array(LARGE)).set(message, size);
    size += message.length;
    if (size < LARGE) return;
    wire.send(RECEIPT);
    large = undefined;
    size = 0;
  });
}

export function linkOf(wire: Wire): Link {
  const slots: (((message: Uint8Array) => void) | undefined)[] = [];
  const free: number[] = [];
  /** Resolve the large messages that wait for a receipt, in the order in which they were sent. */
  const receipts: (() => void)[] = [];
  let sending: Promise<void> | undefined;
  wire.received((message) => {
    if (message.length === RECEIPT.length) return receipts.shift()!();
    const id = viewOf(message).getUint32(0);
    const settle = slots[id]!;
    slots[id] = undefined;
    free.push(id);
    settle(message.subarray(ID));
  });
  return {
    call: (request) =>
      new Promise((resolve) => {
        const id = free.pop() ?? slots.length;
        slots[id] = resolve;
        const message = new Uint8Array(ID + request.length);
        viewOf(message).setUint32(0, id);
        message.set(request, ID);
        wire.send(message);
      }),
    put: (message) =>
      new Promise((resolve) => {
        receipts.push(resolve);
        // Pieces of two messages must not mix.
        sending = Promise.resolve(sending).then(() => wire.sendLarge(message));
      }),
    close: async () => wire.close(),
  };
}

/** Opens a channel; `exchange` sends the offer to the server and returns its answer. */
export async function dialChannel(
  { RTCPeerConnection }: RtcLibrary,
  exchange: (offer: string) => Promise<string>,
): Promise<Wire> {
  const peer = new RTCPeerConnection({ iceServers: [] });
  const channel = peer.createDataChannel('', CHANNEL);
  await peer.setLocalDescription(await peer.createOffer());
  // The server must not find a path before this end can check its certificate.
  const offer = (await gathered(peer)).replace(/^a=candidate:.*\r?\n/gm, '');
  await peer.setRemoteDescription({ type: 'answer', sdp: await exchange(offer) });
  if (channel.readyState !== 'open') await event(channel, 'open');
  return channelWire(channel, peer);
}

/** Returns the answer to an offer, for a channel that the server serves. */
export async function acceptChannel(
  { RTCPeerConnection }: RtcLibrary,
  offer: string,
): Promise<string> {
  const peer = new RTCPeerConnection({ iceServers: [] });
  await peer.setRemoteDescription({ type: 'offer', sdp: offer });
  serveWire(channelWire(peer.createDataChannel('', CHANNEL), peer));
  await peer.setLocalDescription(await peer.createAnswer());
  return gathered(peer);
}

/** Returns the local description once it contains all candidates. */
async function gathered(peer: RtcPeerConnection): Promise<string> {
  if (peer.iceGatheringState !== 'complete')
    await new Promise<void>((resolve) => {
      peer.onicegatheringstatechange = () => {
        if (peer.iceGatheringState === 'complete') resolve();
      };
    });
  return peer.localDescription!.sdp;
}

export function event(
  target: { addEventListener(type: string, listener: (event: any) => void, options: any): void },
  type: string,
): Promise<any> {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}

const CHANNEL = { negotiated: true, id: 0, ordered: true } as const;
const ID = 4;
const RECEIPT = new Uint8Array(1);
/** The size of the messages and the bounds of the buffer are those of transport-webrtc. */
const PIECE = 16 * 1024;
const HIGH = 1024 * 1024;
const LOW = 256 * 1024;

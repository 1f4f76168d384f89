// Creates and closes peer connections, in which the libraries differ.

import { systemClock, TransportError } from '@trunkline/transport-core';
import type { Role } from './hello.ts';
import { isNative } from './native-rtc.ts';
import type { RtcLibrary, RtcPeerConnection } from './rtc.ts';

/**
 * Creates the peer connection of the end with this role. Throws `resource_exhausted` if the browser
 * allows no more of them; Chromium then throws an UnknownError. Rethrows any other error from the
 * library.
 */
export function createPeer(
  { RTCPeerConnection }: RtcLibrary,
  configuration: object,
  role: Role,
): RtcPeerConnection {
  try {
    return new RTCPeerConnection(configuration);
  } catch (cause) {
    if ((cause as Error | null)?.name !== 'UnknownError') throw cause;
    const who = role === 'offerer' ? 'dialer' : 'listener';
    throw new TransportError(
      'resource_exhausted',
      `the ${who} has as many peer connections as its browser allows (500 a tab in Chromium, where a closed one counts until its memory is collected): close connections that are not needed, and dial again later`,
      { cause },
    );
  }
}

/**
 * Closes a peer connection, and notifies the other end. werift would close its socket before SCTP
 * has sent the notice, and the other end would notice the close only through ICE, half a minute
 * later.
 */
export function closePeer(peer: RtcPeerConnection): void {
  if (isNative(peer)) return closeOnceSettled(peer);
  // Libraries throw when the connection has failed before.
  try {
    const sctp = peer.sctp as { stop?(): Promise<unknown> } | null | undefined;
    const stopping = sctp?.stop?.();
    if (stopping === undefined) Promise.resolve(peer.close()).catch(ignore);
    else closeAfter(stopping, peer).catch(ignore);
  } catch {}
}

/**
 * Closes one turn later: Node sends the last packets in the next turn, and drops them if the socket
 * is closed before that.
 */
async function closeAfter(stopping: Promise<unknown>, peer: RtcPeerConnection): Promise<void> {
  await stopping.catch(ignore);
  await new Promise<void>((resolve) => systemClock.turn!(resolve));
  await peer.close();
}

/**
 * Closes a peer connection of a browser once no event of it is due, or after SETTLE_TIME. Chromium
 * never frees one that is closed while its 'connectionstatechange' or 'icegatheringstatechange'
 * waits to be dispatched: the event keeps the peer connection, which keeps the event. Uses real
 * time, because no clock of a test may wait for this.
 */
function closeOnceSettled(peer: RtcPeerConnection): void {
  if (isSettled(peer)) return peer.close() as void;
  const close = () => {
    systemClock.clearTimeout(timer);
    peer.onconnectionstatechange = peer.onicegatheringstatechange = null;
    peer.close();
  };
  const timer = systemClock.setTimeout(close, SETTLE_TIME);
  peer.onconnectionstatechange = peer.onicegatheringstatechange = () => {
    if (isSettled(peer)) close();
  };
}

/** Returns true unless the peer connection is about to change one of its states. */
function isSettled({ connectionState, iceGatheringState }: RtcPeerConnection): boolean {
  return connectionState !== 'connecting' && iceGatheringState !== 'gathering';
}

/** The time for which a closed peer connection of a browser may still connect, in milliseconds. */
const SETTLE_TIME = 1_000;

function ignore(): void {}

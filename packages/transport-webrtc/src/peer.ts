// Creates and closes peer connections, in which the libraries differ.

import { systemClock, TransportError } from '@trunkline/transport-core';
import type { Role } from './hello.ts';
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

function ignore(): void {}

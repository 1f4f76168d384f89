// A connection whose TLS handshake is over: what a StreamConnection tells of it, and what ends it when trust is taken back.

import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { StreamConnection, StreamSink, TransportError } from '@trunkline/transport-core';
import type { Peer } from './peer.ts';

export class Secured {
  readonly socket: TLSSocket;
  readonly #raw: Socket;
  readonly #peer: Peer;

  constructor(socket: TLSSocket, raw: Socket, peer: Peer) {
    this.socket = socket;
    this.#raw = raw;
    this.#peer = peer;
  }

  /** What the other end proved to be; undefined where it showed no certificate. */
  get nodeId(): string | undefined {
    return this.#peer.nodeId;
  }

  /** Why this end does not want the other. */
  get refused(): TransportError | undefined {
    return this.#peer.refused;
  }

  /** A value that both ends share and nobody else knows: tls-exporter (RFC 9266), 32 bytes; undefined when it is over. */
  get binding(): Uint8Array | undefined {
    if (this.socket.destroyed) return undefined;
    return Uint8Array.from(this.socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
  }

  /** The connection has its sink: it is told when the other end is wanted no more. */
  attach(connection: StreamConnection, sink: StreamSink): void {
    this.#peer.watch((error) => {
      if (sink.revoked === undefined) connection.destroy(error);
      else sink.revoked(error);
    });
  }

  /** Cuts it with RST: an end in order is not to be told from FIN here. */
  reset(): void {
    cutOff(this.#raw);
  }

  /** The connection is over. */
  release(): void {
    this.#peer.release();
  }
}

/** Ends a TCP socket with RST, at once, also one that carries TLS: a TLSSocket has no reset of its own. Any other socket is just closed. */
export function cutOff(raw: Socket): void {
  if (raw.destroyed) return;
  try {
    raw.resetAndDestroy();
  } catch {
    // Only TCP has a reset: this is a pipe.
    raw.destroy();
  }
}

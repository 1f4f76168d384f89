// A connection after its TLS handshake: provides the facts that a StreamConnection reports, and
// ends it when trust is withdrawn.

import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamSink } from '@trunkline/transport-core/backend';
import type { TlsRemote } from './tls-remote.ts';

/** A connection whose TLS handshake is complete. */
export class TlsConnection {
  readonly socket: TLSSocket;
  readonly #raw: Socket;
  readonly #peer: TlsRemote;

  constructor(socket: TLSSocket, raw: Socket, peer: TlsRemote) {
    this.socket = socket;
    this.#raw = raw;
    this.#peer = peer;
  }

  /** The node id that the other end proved; undefined if it showed no certificate. */
  get nodeId(): string | undefined {
    return this.#peer.nodeId;
  }

  /** The reason why this end refuses the other end; undefined if it does not. */
  get refused(): TransportError | undefined {
    return this.#peer.refused;
  }

  /**
   * A value that only the two ends of this connection know: tls-exporter (RFC 9266), 32 bytes.
   * It is undefined after the end of the connection.
   */
  get binding(): Uint8Array | undefined {
    if (this.socket.destroyed) return undefined;
    return Uint8Array.from(
      this.socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
    );
  }

  /**
   * Attaches the connection's sink, which is called if trust in the other end is withdrawn. If the
   * sink has no `revoked`, the connection is destroyed instead.
   */
  attach(connection: StreamConnection, sink: StreamSink): void {
    this.#peer.watch((error) => {
      if (sink.revoked === undefined) connection.destroy(error);
      else sink.revoked(error);
    });
  }

  /**
   * Aborts the connection with RST, because the other end cannot distinguish a plain FIN from a
   * normal end of the TLS connection.
   */
  reset(): void {
    cutOff(this.#raw);
  }

  /** Stops watching the trust in the other end. Call it when the connection has ended. */
  release(): void {
    this.#peer.release();
  }
}

/**
 * Ends a TCP socket immediately with RST, even if it carries TLS: a TLSSocket has no reset of its
 * own. Any other socket is simply closed.
 */
export function cutOff(raw: Socket): void {
  if (raw.destroyed) return;
  try {
    raw.resetAndDestroy();
  } catch {
    // Only TCP has a reset; this is a pipe.
    raw.destroy();
  }
}

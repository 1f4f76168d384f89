// A connection beneath the secured ones that a test drives by hand, to send no handshake or
// a recorded one.

import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';

/** Records what it receives, and writes what the test gives it. */
export class RawConnection {
  /** The received chunks, in order. */
  readonly chunks: Uint8Array[] = [];
  /** The number of received bytes. */
  received = 0;
  over: boolean;
  readonly #connection: StreamConnection | undefined;
  readonly #outgoing: Uint8Array[] = [];
  #blocked = false;

  /** Without a connection, it is over from the start. */
  constructor(
    connection: StreamConnection | undefined,
    heard: (raw: RawConnection, chunk: Uint8Array | undefined) => void = () => {},
  ) {
    this.#connection = connection;
    this.over = connection === undefined;
    connection?.attach({
      data: (chunk) => {
        this.chunks.push(chunk.slice());
        this.received += chunk.length;
        heard(this, chunk);
      },
      frames: () => {},
      drained: () => this.#drained(),
      closed: () => {
        this.over = true;
        heard(this, undefined);
      },
    });
  }

  /** Dials. A connection that is reset at once may never open; then the result has none. */
  static async dial(
    layer: StreamLayer,
    address: string,
    heard?: (raw: RawConnection, chunk: Uint8Array | undefined) => void,
  ): Promise<RawConnection> {
    const connection = await layer
      .dial(address, { timeout: 60_000 })
      .catch((error: TransportError) => {
        if (error.reason !== 'reset') throw error;
      });
    return new RawConnection(connection ?? undefined, heard);
  }

  write(chunk: Uint8Array): void {
    const own = chunk.slice();
    if (this.over) return;
    if (this.#blocked) this.#outgoing.push(own);
    else this.#blocked = !this.#connection!.write(own);
  }

  close(): void {
    this.#connection?.close();
  }

  destroy(): void {
    this.#connection?.destroy();
  }

  #drained(): void {
    this.#blocked = false;
    while (!this.#blocked && this.#outgoing.length > 0)
      this.#blocked = !this.#connection!.write(this.#outgoing.shift()!);
  }
}

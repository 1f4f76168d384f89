// A connection beneath the secured ones. A test drives it by hand, to send no handshake or a
// recorded one.

import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';

/** A function that is called with each chunk, and with undefined at the end. */
type Heard = (raw: RawConnection, chunk: Uint8Array | undefined) => void;

/**
 * A connection that counts the bytes that it receives, and writes those that the test gives it.
 */
export class RawConnection {
  /** The number of received bytes. */
  received = 0;
  /** True once the connection has ended, or its dial has failed. */
  over = false;
  #connection: StreamConnection | undefined;
  readonly #heard: Heard;
  readonly #outgoing: Uint8Array[] = [];
  #blocked = true;
  #isDestroyed = false;

  /** Creates a raw connection; without `connection`, written bytes wait until there is one. */
  constructor(connection: StreamConnection | undefined, heard: Heard = () => {}) {
    this.#heard = heard;
    if (connection !== undefined) this.#opened(connection);
  }

  /**
   * Dials. A connection that is reset immediately may never open; then it has ended.
   *
   * @param waits if true, returns before the connection is open; the connection has ended if the
   * dial fails.
   */
  static async dial(
    layer: StreamLayer,
    address: string,
    { waits, heard }: { readonly waits: boolean; readonly heard?: Heard },
  ): Promise<RawConnection> {
    const raw = new RawConnection(undefined, heard);
    const dial = layer.dial(address, { timeout: 60_000 }).then(
      (connection) => raw.#opened(connection),
      (error: TransportError) => {
        if (!waits && error.reason !== 'reset') throw error;
        raw.#ended();
      },
    );
    if (!waits) await dial;
    return raw;
  }

  #opened(connection: StreamConnection): void {
    this.#connection = connection;
    connection.attach({
      data: (chunk) => {
        this.received += chunk.length;
        this.#heard(this, chunk);
      },
      frames: () => {},
      drained: () => this.#drained(),
      closed: () => this.#ended(),
    });
    if (this.#isDestroyed) connection.destroy();
    else this.#drained();
  }

  #ended(): void {
    this.over = true;
    this.#heard(this, undefined);
  }

  write(chunk: Uint8Array): void {
    const own = chunk.slice();
    if (this.over) return;
    if (this.#blocked) this.#outgoing.push(own);
    else this.#blocked = !this.#connection!.write(own);
  }

  /** Closes gracefully; does nothing while the dial is pending, and drops bytes that still wait. */
  close(): void {
    this.#connection?.close();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#connection?.destroy();
  }

  #drained(): void {
    this.#blocked = false;
    while (!this.#blocked && this.#outgoing.length > 0)
      this.#blocked = !this.#connection!.write(this.#outgoing.shift()!);
  }
}

// Uses the relay of signaling for nodes that can't be reached directly.

import type { PeerListsUpdate } from '@trunkline/security';
import { type Clock, systemClock, TransportError } from '@trunkline/transport-core';
import type {
  DialOptions,
  HandshakeSlot,
  ListenOptions,
  StreamConnection,
  StreamLayer,
} from '@trunkline/transport-core/backend';
import { parseAddress } from './webrtc-address.ts';
import type { WebRtcStreamLayer } from './webrtc-layer.ts';

/**
 * The part of a dial's timeout that the direct path gets. An ICE check between nodes that can reach
 * each other takes a second at most, and the relay needs two round trips.
 */
const DIRECT_SHARE = 0.6;

/**
 * A stream layer that dials directly first, and over a relay if no direct path was found. It
 * accepts connections of both kinds; their endpoints differ. `close` leaves the relay listening,
 * and this layer then destroys the connections that it accepts.
 */
export class RelayFallback implements WebRtcStreamLayer {
  readonly clock: Clock;
  readonly #direct: WebRtcStreamLayer;
  readonly #relay: StreamLayer;
  /** Aborted and replaced by `close`. */
  #closing = new AbortController();

  /** @param relay the relay, which belongs to the signal; the signal closes it. */
  constructor(direct: WebRtcStreamLayer, relay: StreamLayer) {
    this.clock = direct.clock ?? systemClock;
    this.#direct = direct;
    this.#relay = relay;
  }

  get nodeId(): string | undefined {
    return this.#direct.nodeId;
  }

  async listen(
    accept: (connection: StreamConnection, slot?: HandshakeSlot) => void,
    failed?: (error: TransportError) => void,
    options?: ListenOptions,
  ): Promise<void> {
    const { signal } = this.#closing;
    const goOn = () => {
      if (signal.aborted)
        throw new TransportError('shutdown', 'Listening was cancelled: the layer was closed');
    };
    await this.#direct.listen(accept, failed, options);
    goOn();
    await this.#relay.listen(
      (connection, slot) => {
        if (!signal.aborted) return accept(connection, slot);
        slot?.leave();
        connection.destroy();
      },
      undefined,
      options,
    );
    goOn();
  }

  async dial(address: string, options: DialOptions): Promise<StreamConnection> {
    const { timeout, signal } = options;
    const start = this.clock.now();
    const closing = this.#closing.signal;
    try {
      return await this.#direct.dial(address, { ...options, timeout: timeout * DIRECT_SHARE });
    } catch (error) {
      if (!hasNoPath(error) || signal?.aborted === true) throw error;
    }
    const target = parseAddress(address, 'dial');
    return this.#relay.dial(target, {
      timeout: Math.max(0, timeout - (this.clock.now() - start)),
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
      nodeId: options.nodeId ?? target,
    });
  }

  checkAddress(address: string): void {
    this.#direct.checkAddress?.(address);
  }

  localAddr(): string {
    return this.#direct.localAddr();
  }

  advertiseAddr(): string {
    return this.#direct.advertiseAddr();
  }

  updatePeers(lists: PeerListsUpdate): void {
    this.#direct.updatePeers(lists);
  }

  async close(): Promise<void> {
    const closing = this.#closing;
    this.#closing = new AbortController();
    closing.abort(new TransportError('shutdown', 'The dial was cancelled: the layer was closed'));
    await this.#direct.close();
  }
}

/** Returns true if a dial failed because no path was found, and not because of a node's answer. */
function hasNoPath(error: unknown): boolean {
  if (!(error instanceof TransportError)) return false;
  const { code, reason, origin } = error;
  if (reason === 'dial_timeout') return true;
  return code === 'unavailable' && reason !== 'connection_refused' && origin === 'local';
}

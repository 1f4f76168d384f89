// A listener of any StreamLayer whose connections speak only the wire format.

import type { StreamLayer } from '@trunkline/transport-core/backend';
import { RawPeer } from './raw-peer.ts';

/** Accepts connections of a layer as raw peers. */
export class RawListener {
  readonly #layer: StreamLayer;
  readonly #ready: RawPeer[] = [];
  readonly #waiters: ((peer: RawPeer) => void)[] = [];
  /** Every accepted peer. */
  readonly peers: RawPeer[] = [];

  private constructor(layer: StreamLayer) {
    this.#layer = layer;
  }

  static async listen(layer: StreamLayer): Promise<RawListener> {
    const listener = new RawListener(layer);
    await layer.listen((connection) => {
      const peer = new RawPeer(connection, 'acceptor');
      listener.peers.push(peer);
      const waiter = listener.#waiters.shift();
      if (waiter === undefined) listener.#ready.push(peer);
      else waiter(peer);
    });
    return listener;
  }

  get address(): string {
    return this.#layer.localAddr();
  }

  /** Resolves with the next accepted peer, attached and silent; stays pending after `close`. */
  next(): Promise<RawPeer> {
    const peer = this.#ready.shift();
    if (peer !== undefined) return Promise.resolve(peer);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Describes the events that callers now wait for, here and at the accepted peers. */
  waits(): string[] {
    const here = this.#waiters.map(() => 'the next connection at the raw listener');
    return [...here, ...this.peers.flatMap((peer) => peer.waits())];
  }

  /** Destroys all accepted peers, and closes the layer. */
  async close(): Promise<void> {
    for (const peer of this.peers) peer.destroy();
    await this.#layer.close();
  }
}

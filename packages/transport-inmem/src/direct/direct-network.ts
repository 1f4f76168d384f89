// The network behind one value of `direct()`. It keeps the pairs that may dial, the layers that
// listen, and the open connections, which it resets when a pair is disconnected. Names come without
// scheme, from `nameOf` or `nameFor` (names.ts). Tested in direct.test.ts.

import { reasonError } from '@trunkline/transport-core/backend';
import type { FrameConnection } from '../memory/memory-connection.ts';
import { SCHEME } from '../memory/names.ts';
import type { NearbyLayer } from '../memory/nearby-layer.ts';

/** A layer that listens. */
interface Listener extends NearbyLayer {
  readonly name: string;
}

/** A connection that `from` has dialed to `to`. */
interface OpenConnection {
  readonly from: string;
  readonly to: string;
  readonly near: FrameConnection;
}

export class DirectNetwork<L extends Listener> {
  readonly #listening = new Map<string, L>();
  readonly #open = new Set<OpenConnection>();
  /** True once `connectAll` was called: pairs that no later change concerns are connected. */
  #all = false;
  /** The number of changes so far. The latest change that concerns a pair counts. */
  #changes = 0;
  /** The latest change of a pair, under `from` and `to`. */
  readonly #pairs = new Map<string, { readonly at: number; readonly connected: boolean }>();
  /** The number of the change that last disconnected a name from all others. */
  readonly #alone = new Map<string, number>();

  /** Adds a layer that begins to listen. Throws `address_in_use` if its name is taken. */
  add(layer: L): void {
    const { name } = layer;
    if (this.#listening.has(name))
      throw reasonError(
        'address_in_use',
        `Cannot listen on ${SCHEME}${name}: another transport of this backend listens on it; close it, or choose another name`,
        { target: SCHEME + name },
      );
    this.#listening.set(name, layer);
  }

  /** Removes a layer that `add` has accepted. */
  remove(layer: L): void {
    this.#listening.delete(layer.name);
  }

  /** Returns the layer at `to`, if `from` may dial it. */
  find(from: string, to: string): L | undefined {
    return this.connects(from, to) ? this.#listening.get(to) : undefined;
  }

  connects(from: string, to: string): boolean {
    const pair = this.#pairs.get(pairOf(from, to));
    const alone = Math.max(this.#alone.get(from) ?? 0, this.#alone.get(to) ?? 0);
    if (pair !== undefined && pair.at > alone) return pair.connected;
    return this.#all && alone === 0;
  }

  /**
   * Registers a connection. Returns a function to be called when one of its ends has closed; both
   * ends call it.
   */
  opened(connection: OpenConnection): () => void {
    this.#open.add(connection);
    return () => this.#open.delete(connection);
  }

  connect(from: string, to: string): void {
    this.#pairs.set(pairOf(from, to), { at: ++this.#changes, connected: true });
  }

  disconnect(from: string, to: string): void {
    this.#pairs.set(pairOf(from, to), { at: ++this.#changes, connected: false });
    this.#cut((open) => open.from === from && open.to === to);
  }

  disconnectAll(name: string): void {
    this.#alone.set(name, ++this.#changes);
    this.#cut(({ from, to }) => from === name || to === name);
  }

  connectAll(): void {
    this.#all = true;
    this.#pairs.clear();
    this.#alone.clear();
  }

  #cut(chosen: (connection: OpenConnection) => boolean): void {
    for (const open of [...this.#open]) {
      if (!chosen(open)) continue;
      const target = SCHEME + open.to;
      open.near.destroy(
        reasonError('reset', `Connection with ${target}: it was cut by disconnect`, { target }),
      );
    }
  }
}

/** Returns the key of a pair. Names have no white space, so no two pairs share a key. */
function pairOf(from: string, to: string): string {
  return `${from} ${to}`;
}

// A stream layer that finds its peers directly: a dial connects or fails at the end of the tick.

import type { TransportError } from '@trunkline/transport-core';
import {
  type PendingDial,
  reasonError,
  type StreamConnection,
} from '@trunkline/transport-core/backend';
import { MemoryLayer } from './memory-layer.ts';

/** Base class of layers without a network in between. */
export abstract class NearbyLayer extends MemoryLayer {
  /**
   * Returns the layer at an address, or undefined if there is none that this layer may dial. Throws
   * `invalid_argument` if the address is malformed.
   */
  protected abstract find(address: string): NearbyLayer | undefined;
  /**
   * Creates a connection to a listening layer; returns this layer's end and the other layer's end.
   * It must not throw: `reach` calls it in a deferred callback, so an error would end the process.
   */
  protected abstract connect(
    address: string,
    peer: NearbyLayer,
  ): readonly [near: StreamConnection, far: StreamConnection];

  protected override check(address: string): void {
    this.find(address);
  }

  protected override reach(address: string, dial: PendingDial): void {
    this.clock.defer(() => {
      if (!dial.wanted()) return;
      const peer = this.find(address);
      if (peer?.isListening !== true) return dial.failed(this.refused(address, peer));
      const [near, far] = this.connect(address, peer);
      // The dial settles first: `accept` may abort it, and then nobody would own this layer's end.
      dial.connected(near);
      peer.accept(far);
    });
  }

  /**
   * Returns the error of a refused dial. `peer` is set if `find` has returned a layer, which does
   * not listen.
   */
  protected refused(address: string, _peer: NearbyLayer | undefined): TransportError {
    return reasonError(
      'connection_refused',
      `Cannot connect to ${address}: nothing listens on this address; check that the peer is running and the name is right`,
      { target: address },
    );
  }
}

// A layer whose peers are at hand: a dial finds one at the end of the tick, or nobody.

import { reasonError, type StreamConnection, type TransportError } from '@trunkline/transport-core';
import { type Dial, MemoryLayer } from './memory-layer.ts';

export abstract class NearbyLayer extends MemoryLayer {
  /** Who is meant by an address; undefined where nobody is. Throws `invalid_argument` where it means nothing. */
  protected abstract find(address: string): NearbyLayer | undefined;
  /** Both ends of a new connection with a layer that listens: this one's, and the other's. */
  protected abstract connect(address: string, peer: NearbyLayer): readonly [near: StreamConnection, far: StreamConnection];

  protected override check(address: string): void {
    this.find(address);
  }

  protected override reach(address: string, dial: Dial): void {
    this.clock.defer(() => {
      if (!dial.wanted()) return;
      const peer = this.find(address);
      if (peer?.isListening !== true) return dial.failed(this.refused(address, peer));
      const [near, far] = this.connect(address, peer);
      peer.accept(far);
      dial.connected(near);
    });
  }

  /** Why a dial found nobody. `peer` is there where the address leads somewhere, but nobody listens. */
  protected refused(address: string, _peer: NearbyLayer | undefined): TransportError {
    return reasonError('connection_refused', `Cannot connect to ${address}: nobody listens there; is it started, and is the name right?`, { target: address });
  }
}

// The layer beneath createInmemTransport: frames as they are, over links that somebody made.

import { type Clock, reasonError, type StreamConnection, type TransportError } from '@trunkline/transport-core';
import { MemoryConnection } from '../memory/memory-connection.ts';
import { NearbyLayer } from '../memory/nearby-layer.ts';
import { FrameConnection } from './frame-connection.ts';

/**
 * A StreamLayer whose connections carry frames and no bytes. It dials only what it is linked to. Nothing but the session's credit
 * and its queues bounds what is on its way: there is no second bound here, since frames are handed over at once.
 */
export class DirectLayer extends NearbyLayer {
  readonly address: string;
  private readonly links = new Map<string, DirectLayer>();
  private dialled = 0;

  constructor(address: string, clock: Clock) {
    super(clock, undefined);
    this.address = address;
  }

  /** From now on `address` means `peer`, for this end alone. */
  link(address: string, peer: DirectLayer): void {
    this.links.set(address, peer);
  }

  unlink(address: string): void {
    this.links.delete(address);
  }

  unlinkAll(): void {
    this.links.clear();
  }

  protected override bind(): string {
    return this.address;
  }

  protected override unbind(): void {}

  protected override find(address: string): DirectLayer | undefined {
    return this.links.get(address);
  }

  protected override connect(address: string, peer: DirectLayer): [StreamConnection, StreamConnection] {
    const near = new FrameConnection(address, this.clock);
    const far = new FrameConnection(`${this.address}:${++this.dialled}`, peer.clock);
    MemoryConnection.join(near, far);
    return [near, far];
  }

  protected override refused(address: string, peer: NearbyLayer | undefined): TransportError {
    if (peer !== undefined) return super.refused(address, peer);
    return reasonError('connection_refused', `${this.address} is not connected to ${address}: call connect('${address}', transport) first`, {
      target: address,
    });
  }
}

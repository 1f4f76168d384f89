// The layer below `createInmemTransport`: it passes frames unchanged over links made by `connect`.

import type { Clock, TransportError } from '@trunkline/transport-core';
import { reasonError, type StreamConnection } from '@trunkline/transport-core/backend';
import { FrameConnection, MemoryConnection } from '../memory/memory-connection.ts';
import { NearbyLayer } from '../memory/nearby-layer.ts';

/**
 * A stream layer whose connections carry frames instead of bytes. It can dial only linked layers.
 * It needs no limit of its own for data in flight: frames are handed over immediately, and the
 * session's credit and queues limit them.
 */
export class DirectLayer extends NearbyLayer {
  readonly address: string;
  private readonly links = new Map<string, DirectLayer>();
  private dialed = 0;

  constructor(address: string, clock: Clock) {
    super(clock, undefined);
    this.address = address;
  }

  /** Makes `address` lead to `peer` from now on, for this end only. */
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

  protected override connect(
    address: string,
    peer: DirectLayer,
  ): [StreamConnection, StreamConnection] {
    const near = new FrameConnection(address, this.clock);
    const far = new FrameConnection(`${this.address}:${++this.dialed}`, peer.clock);
    MemoryConnection.join(near, far);
    return [near, far];
  }

  protected override refused(address: string, peer: NearbyLayer | undefined): TransportError {
    if (peer !== undefined) return super.refused(address, peer);
    return reasonError(
      'connection_refused',
      `${this.address} is not connected to ${address}: call connect('${address}', transport) first`,
      {
        target: address,
      },
    );
  }
}

// The stream layer of `direct()`: it passes frames unchanged, to the layers that it may dial.
// Tested in direct.test.ts, and in compliance.test.ts of this package.

import type { Clock, TransportError } from '@trunkline/transport-core';
import { reasonError, type StreamConnection } from '@trunkline/transport-core/backend';
import { DirectLine } from '../memory/line.ts';
import { FrameConnection, MemoryConnection } from '../memory/memory-connection.ts';
import { nameOf, SCHEME } from '../memory/names.ts';
import { NearbyLayer } from '../memory/nearby-layer.ts';
import type { DirectNetwork } from './direct-network.ts';

/**
 * A stream layer whose connections carry frames instead of bytes. It needs no limit of its own for
 * data in flight: frames are handed over immediately, and the session's credit and queues limit
 * them.
 */
export class DirectLayer extends NearbyLayer {
  readonly name: string;
  private readonly network: DirectNetwork<DirectLayer>;
  private dialed = 0;

  constructor(
    network: DirectNetwork<DirectLayer>,
    name: string,
    advertiseAddr: string | undefined,
    clock: Clock,
  ) {
    super(clock, advertiseAddr);
    this.network = network;
    this.name = name;
  }

  protected override bind(): string {
    this.network.add(this);
    return SCHEME + this.name;
  }

  protected override unbind(): void {
    this.network.remove(this);
  }

  protected override find(address: string): DirectLayer | undefined {
    return this.network.find(this.name, nameOf(address));
  }

  protected override connect(
    address: string,
    peer: DirectLayer,
  ): [StreamConnection, StreamConnection] {
    const near = new FrameConnection(address, this.clock);
    const far = new FrameConnection(`${SCHEME}${this.name}:${++this.dialed}`, peer.clock);
    const ended = this.network.opened({ from: this.name, to: peer.name, near });
    MemoryConnection.join(near, far, (end) => new DirectLine(end, ended));
    return [near, far];
  }

  protected override refused(address: string, peer: NearbyLayer | undefined): TransportError {
    const to = nameOf(address);
    if (peer !== undefined || this.network.connects(this.name, to))
      return super.refused(address, peer);
    return reasonError(
      'connection_refused',
      `${SCHEME}${this.name} is not connected to ${SCHEME}${to}: call connect('${this.name}', '${to}') of the backend made by direct(), or connectAll()`,
      { target: address },
    );
  }
}

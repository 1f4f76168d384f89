// The mounted protocol of peers, over which nodes exchange addresses, statuses and services.

import {
  type AnyTransport,
  type Remote,
  type RequestInput,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import type { OneWayName } from '@trunkline/transport-core/backend';
import { peersProtocol } from '../protocol.ts';

export class PeersChannel {
  /**
   * The mount of the protocol. It exists even if there is nothing to exchange, because mounting the
   * protocol makes this node a peer to others.
   */
  readonly mount: Transport<typeof peersProtocol>;

  constructor(transport: AnyTransport) {
    this.mount = transport.mount(peersProtocol);
  }

  /**
   * Sends a message now or not at all. Ignores a TransportError, because this node is not at fault
   * if the other end uses this channel for another protocol. Returns false if the message may be
   * sent later.
   */
  say<N extends OneWayName<typeof peersProtocol>>(
    to: Remote,
    method: N,
    message: RequestInput<typeof peersProtocol, N>,
  ): boolean {
    try {
      return this.mount.trySend(to, method, message);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      return true;
    }
  }
}

// How a membership takes charge of a transport: `createPeers` does, once a transport.

import { reasonError, type TransportError } from '../errors.ts';
import type { Remote } from '../remote.ts';
import type { Membership } from '../stream/membership.ts';
import { connectionOf } from './members.ts';
import type { Network } from './network.ts';
import { NETWORK } from './protocol-transport.ts';
import type { AnyTransport } from './types.ts';

/** What a membership may do with the transport that it manages. */
export interface Management {
  /** This transport's instance, as its peers see it. */
  readonly instance: string;
  /** This end's node id where its layer proves it to every peer (TLS, noise); undefined where ids are only asserted. */
  readonly provenId: string | undefined;
  /** Do connections to this address prove the ids of both ends? */
  proves(address: string): boolean;
  /** Throws `invalid_argument` for an address that can't be dialled, whoever is there. With the option `resolve` any text may be an address. */
  check(address: string): void;
  /** Does it take calls? One that is leaving is not closed yet, and takes none. */
  isUp(remote: Remote): boolean;
  /** Bytes that came over a connection so far. */
  received(remote: Remote): number;
  /** Ends a connection at once, and tells both ends why. */
  cut(remote: Remote, error: TransportError): void;
  /** This connection stands for a node that another one stands for already: it takes nothing new and lives until its calls end. */
  retire(remote: Remote, text: string): void;
  /** Ends the charge: hellos assert no id any more. */
  release(): void;
}

/**
 * Puts a membership in charge of who connects, and of targets `node:<id>`. Connections that live are closed in order: their hellos
 * asserted no id. A second membership, or no transport of this package, is a TypeError.
 */
export function manage(transport: AnyTransport, membership: Membership): Management {
  const network = (transport as unknown as Record<symbol, Network | undefined>)[NETWORK];
  if (network === undefined) throw new TypeError('manage: takes a transport of @trunkline/transport-core, or a mount of one');
  if (network.membership !== undefined) throw new TypeError('manage: this transport has peers already; one createPeers a transport');
  network.membership = membership;
  startAnew(network);
  return {
    instance: network.self.instance,
    get provenId() {
      return network.layer.nodeId;
    },
    proves: (address) => network.layer.proves?.(address) ?? network.layer.nodeId !== undefined,
    check: (address) => {
      if (network.config.resolve === undefined) network.layer.checkAddress?.(address);
    },
    isUp: (remote) => connectionOf(remote).session.state === 'up',
    received: (remote) => connectionOf(remote).bytesIn,
    cut: (remote, error) => network.ticker.run(() => connectionOf(remote).session.break(error)),
    retire: (remote, text) => void network.leave([connectionOf(remote)], text, 'duplicate'),
    release: () => {
      if (network.membership === membership) network.membership = undefined;
    },
  };
}

/** Ends every connection in order; those that are still saying hello at once. */
function startAnew(network: Network): void {
  const text = 'its hello asserted no node id';
  void network.leave([...network.connections], text);
  network.ticker.run(() => {
    for (const { session } of network.connections) if (session.state === 'opening') session.break(reasonError('disconnected', text));
  });
}

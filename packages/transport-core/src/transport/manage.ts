// Access to the connections of a transport for Trunkline's own packages: a membership manages them
// (`createPeers`, once for each transport), gossip asks for their limits and send queues, and other
// packages for a transport's services and protocols. direct/membership.test.ts of transport-inmem
// tests `manage`, and the tests of those packages test the rest.

import { reasonError, type TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { connectionOf } from '../stream/connection.ts';
import type { Membership } from '../stream/membership.ts';
import type { TransportEngine } from './engine.ts';
import type { AnyTransport, Transport } from './types.ts';

/**
 * Puts a membership in charge of admitting peers and of targets `node:<id>`. Live connections are
 * drained and closed, because their hellos asserted no node id; those that have not finished their
 * hello are closed immediately. Throws a TypeError if the transport has a membership already, or if
 * this package did not make it.
 */
export function manage(transport: AnyTransport, membership: Membership) {
  const engine = engineOf(transport, 'manage');
  if (engine.membership !== undefined)
    throw new TypeError(
      'manage: this transport already has peers; call createPeers once for each transport',
    );
  engine.join(membership);
  const text = 'its hello asserted no node id';
  void engine.leave([...engine.connections], text);
  engine.ticker.run(() => {
    for (const { session } of engine.connections)
      if (session.state === 'opening') session.break(reasonError('disconnected', text));
  });
  return {
    /** The transport's instance id, as its peers see it. */
    instance: engine.instance,
    /**
     * This end's node id if its layer, or that of one of its backends, proves it (TLS, noise);
     * undefined if ids are only asserted. `proves` tells at which addresses.
     */
    get provenId() {
      return engine.layer.nodeId;
    },
    /** Returns true if connections to this address prove the node ids of both ends. */
    proves: (address: string) =>
      engine.layer.proves?.(address) ?? engine.layer.nodeId !== undefined,
    /**
     * Throws `invalid_argument` for an address that can't be dialed, whether or not a node listens
     * on it. With the option `resolve`, any string may be an address.
     */
    check: (address: string) => {
      if (engine.config.resolve === undefined) engine.layer.checkAddress?.(address);
    },
    /** Returns true if the layer dials addresses of this form; others are names for `resolve`. */
    dials: (address: string) => {
      try {
        engine.layer.checkAddress?.(address);
        return true;
      } catch {
        return false;
      }
    },
    /** The network of this machine, if the transport's layer dials host names. */
    get machine() {
      return engine.layer.machine;
    },
    /**
     * Returns all connections whose hello was read, even those that are not up yet, drain, or have
     * ended and whose stream is not closed yet.
     */
    remotes: () => [...engine.connections].flatMap(({ remote }) => remote ?? []),
    /**
     * Returns true if the connection takes new calls. A connection that is draining takes none,
     * although it is not closed yet.
     */
    isUp: (remote: Remote) => connectionOf(remote).isUp,
    /** Returns the number of bytes received over a connection so far. */
    received: (remote: Remote) => connectionOf(remote).input.bytes,
    /** Closes a connection immediately with an error that both ends see. */
    // In a tick, which sets the time and flushes the output; `engine.leave` has its own.
    cut: (remote: Remote, error: TransportError) =>
      engine.ticker.run(() => connectionOf(remote).session.break(error)),
    /**
     * Retires a connection because another one to the same node replaces it: it takes no new calls
     * and is closed when its calls have ended.
     */
    retire: (remote: Remote, text: string) =>
      void engine.leave([connectionOf(remote)], text, 'duplicate'),
    /**
     * Returns true if this node takes calls to a service. It takes none if its health says
     * 'not_serving', or while it drains (exceptions: `TransportEngine.hasWithdrawn`). A service is
     * the protocol of that name, if one is mounted, or any other name that this node announces.
     */
    isServing: (service: string) => engine.isServing(service),
    /**
     * Calls the function, which must not throw, whenever a result of `isServing` may have changed,
     * until the returned function is called.
     */
    onServingChanged: (changed: () => void) => engine.onServingChanged(changed),
    /**
     * Ends the management: hellos no longer assert a node id, and the membership no longer hears of
     * connections, nor is it asked to admit peers. If it is deciding about a peer, its decision
     * still counts. Live connections stay.
     */
    release: () => {
      if (engine.membership === membership) engine.join(undefined);
    },
  };
}

/** The operations that a membership may perform on the transport that it manages. */
export type Management = ReturnType<typeof manage>;

/**
 * Returns the maximum length, in bytes, of a message that `transport` accepts (`limits.message`)
 * or, with `remote`, that this peer accepts.
 */
export function messageLimit(transport: AnyTransport, remote?: Remote): number {
  if (remote !== undefined) return connectionOf(remote).parts.context.terms.message;
  return engineOf(transport, 'messageLimit').config.limits.message;
}

/**
 * The part of a transport that takes it out of service, that serves its health, and to which other
 * packages report events.
 */
export type ServiceControl = Pick<
  TransportEngine,
  | 'clock'
  | 'drain'
  | 'hasWithdrawn'
  | 'health'
  | 'inFlight'
  | 'isReady'
  | 'leaveAccepted'
  | 'listenFailed'
  | 'listensAgain'
  | 'mounts'
  | 'onServingChanged'
  | 'reporter'
  | 'servingChanged'
  | 'state'
>;

/** Returns the control of a transport. Throws a TypeError if this package did not make it. */
export function serviceOf(transport: AnyTransport, caller: string): ServiceControl {
  return engineOf(transport, caller);
}

/**
 * Returns the protocols that are mounted on a transport, in the order in which they were mounted.
 */
export function protocolsOf(transport: AnyTransport): Protocol[] {
  return [...engineOf(transport, 'protocolsOf').mounts.values()].map(({ protocol }) => protocol);
}

/**
 * Returns the number and bytes of the one-ways, requests and items of a mount's protocol that wait
 * in the lanes of a connection, without calls that wait for room. A message counts at most 8 MiB.
 */
export function unsentOf(
  { protocol }: Pick<Transport, 'protocol'>,
  remote: Remote,
): { messages: number; bytes: number } {
  return remote.closed
    ? { messages: 0, bytes: 0 }
    : connectionOf(remote).parts.unsent(protocol.channel);
}

/** Returns the engine of a transport. Throws a TypeError if this package did not make it. */
function engineOf(transport: AnyTransport, caller: string): TransportEngine {
  const engine = (transport as unknown as Record<symbol, TransportEngine | undefined>)[ENGINE];
  if (engine !== undefined) return engine;
  throw new TypeError(
    `${caller}: expected a transport of @trunkline/transport-core, or a mount of one`,
  );
}

/**
 * The key under which this file finds the engine of a transport; shared by all copies of this
 * package.
 */
export const ENGINE: symbol = Symbol.for('trunkline.engine');

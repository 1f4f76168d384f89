// Acceptor accepts the connections of a transport, and Dialer dials them. Below is ServingState,
// which decides whether this node takes calls to its services.
//
// Acceptor owns the listener and the handshakes of accepted connections. It asks the transport for
// room, and passes each connection to the transport.

import { reasonError, TransportError, withDetails, withoutStack } from '../errors.ts';
import { BoundedHandshakes, HandshakePlace, Listener } from '../stream/accept.ts';
import type { Connection, ConnectionHost } from '../stream/connection.ts';
import { askResolve, nodeOf, orderAddresses } from '../stream/membership.ts';
import type { DialedName, Members, NameWatch } from '../stream/names.ts';
import type { HandshakeSlot, StreamConnection } from '../stream/stream-layer.ts';
import { screenHello } from '../wire/preamble.ts';
import type { EventDispatcher } from './event-dispatcher.ts';

/** Accepts connections. */
export class Acceptor {
  /** True once `listen` has succeeded, until `stop` is called. */
  listening = false;
  readonly #transport: ConnectionHost;
  readonly #dispatcher: EventDispatcher;
  readonly #handshakes: BoundedHandshakes;
  readonly #listener: Listener;
  #hasBegun = false;
  #stopped: Promise<void> | undefined = undefined;

  constructor(transport: ConnectionHost, dispatcher: EventDispatcher) {
    this.#transport = transport;
    this.#dispatcher = dispatcher;
    const { config, clock, layer } = transport;
    this.#handshakes = new BoundedHandshakes(
      config.limits.handshakes,
      () => transport.ticker.now(),
      (endpoint, error, place) => this.#rejected(endpoint, error, place),
    );
    this.#listener = new Listener({
      layer,
      clock,
      accept: (stream, slot) => this.#accept(stream, slot),
      broke: (error, retryIn) => transport.listenFailed(this, error, retryIn),
      recovered: () => transport.listensAgain(this),
      timeout: config.handshakeTimeout,
      handshakes: { acquire: (...connection) => this.#acquire(...connection) },
      screen: screenHello,
    });
  }

  async listen(): Promise<void> {
    if (this.#transport.state !== 'open')
      throw new TransportError('shutdown', 'listen: this transport is closed');
    if (this.#hasBegun)
      throw new TransportError(
        'failed_precondition',
        'listen: this transport is already listening',
      );
    this.#hasBegun = true;
    try {
      await this.#listener.start();
    } catch (error) {
      this.#hasBegun = false;
      throw error;
    }
    if (this.#transport.state !== 'open')
      throw new TransportError(
        'shutdown',
        'listen: this transport was closed while it started to listen',
      );
    this.listening = true;
  }

  /**
   * Accepts no more connections, but completes handshakes that have begun; `stop` follows later.
   */
  retire(): void {
    if (this.listening) this.#listener.retire();
    this.listening = false;
  }

  /** The number of accepted connections that are in a handshake or waiting for one. */
  get handshaking(): number {
    return this.#handshakes.size;
  }

  /** Accepts no more connections. Idempotent; resolves when nothing is bound anymore. */
  stop(): Promise<void> {
    this.listening = false;
    this.#stopped ??= this.#listener.stop();
    return this.#stopped;
  }

  #accept(stream: StreamConnection, given: HandshakeSlot | undefined): void {
    const { config, connections, state } = this.#transport;
    // Connections that were refused or are closing still hold a socket for a second, so their
    // number is bounded, too.
    if (state !== 'open' || connections.size >= config.limits.connections * 2) {
      given?.leave();
      return stream.destroy();
    }
    const refused = this.#transport.full();
    let connection: Connection | undefined;
    const place =
      given === undefined ? this.#acquire(stream.endpoint, () => connection?.unpark()) : undefined;
    const slot = given ?? place;
    if (slot === undefined) return stream.destroy();
    if (slot instanceof HandshakePlace) slot.take();
    connection = this.#transport.add(stream, {
      direction: 'in',
      target: undefined,
      expected: undefined,
      refused,
      slot,
      opened: undefined,
    });
    connection.start();
    if (place?.waits) connection.park();
  }

  /** Admits another handshake; if there is no room, notifies the observer. */
  #acquire(
    ...[endpoint, enter, source]: Parameters<BoundedHandshakes['acquire']>
  ): HandshakePlace | undefined {
    const place = this.#handshakes.acquire(endpoint, enter, source);
    // All these connections share one error: in a flood, creating an error for each would cost more
    // than refusing the connection.
    if (place === undefined) this.#tellRejected(endpoint, CROWDED, true);
    return place;
  }

  #rejected(endpoint: string, error: TransportError, { isTaken }: HandshakePlace): void {
    // If the transport has taken the connection, its `down` notifies the membership.
    this.#tellRejected(endpoint, withDetails(error, { target: endpoint }), !isTaken);
  }

  #tellRejected(endpoint: string, error: TransportError, tellsMembership: boolean): void {
    this.#dispatcher.tell({ type: 'rejected', endpoint, direction: 'in', error });
    if (tellsMembership) this.#transport.membership?.turnedAway?.(endpoint, error, undefined);
  }
}

const CROWDED = reasonError(
  'full',
  'too many connections have not completed their hello (limits.handshakes)',
);

// Dialer resolves an address, dials it and completes the hello. If there are several addresses, it
// tries one after another.

/** The parts that are common to the dials of all addresses of a target. */
interface AddressDial {
  readonly target: string;
  readonly nodeId: string | undefined;
  readonly signal: AbortSignal;
  readonly watch: NameWatch | undefined;
  /** The IP addresses of the target's host, if they are known. */
  readonly addresses?: readonly string[] | undefined;
}

/** Dials targets for the pool. */
export class Dialer {
  readonly #transport: ConnectionHost;
  readonly #members: Members;

  constructor(transport: ConnectionHost, members: Members) {
    this.#transport = transport;
    this.#members = members;
  }

  /** Connects and completes the hello; see `Open` of the pool. */
  async open(
    target: string,
    address: string,
    nodeId: string | undefined,
    signal: AbortSignal,
    name?: DialedName,
  ): Promise<Connection> {
    const { config, membership, random } = this.#transport;
    const full = this.#transport.full();
    if (full !== undefined) throw withDetails(full, { target });
    const dial = { target, nodeId, signal, watch: name?.watch };
    if (name !== undefined) {
      const { watch, inUse } = name;
      return this.#tryAll(await watch.order(config.dialTimeout, signal, inUse), dial);
    }
    const { resolve } = config;
    const found =
      typeof resolve !== 'function' || nodeOf(target) !== undefined
        ? address
        : await askResolve(resolve, target, nodeId === undefined ? address : target, address);
    signal.throwIfAborted();
    if (typeof found === 'string')
      return this.#connect(found, {
        ...dial,
        addresses: found === address ? membership?.addressesOf?.(target) : undefined,
      });
    return this.#tryAll(orderAddresses(found, random), dial);
  }

  /** Dials one address after another until one answers. */
  async #tryAll(addresses: readonly string[], dial: AddressDial): Promise<Connection> {
    const { target, signal, watch } = dial;
    let last: TransportError | undefined;
    for (const address of addresses) {
      signal.throwIfAborted();
      const full = this.#transport.full();
      if (full !== undefined) throw withDetails(full, { target });
      try {
        return await this.#connect(address, dial);
      } catch (error) {
        signal.throwIfAborted();
        last = error as TransportError;
        watch?.distrust();
      }
    }
    throw last === undefined ? noAddresses(target) : allFailed(target, addresses, last);
  }

  /** Connects to one address, or to the node that it names. */
  async #connect(address: string, dial: AddressDial): Promise<Connection> {
    const { target, nodeId, signal, watch, addresses } = dial;
    const named = nodeOf(address);
    if (named !== undefined) {
      const connection = await this.#members.reach(named, target, signal, watch === undefined);
      watch?.reached(connection, address);
      return connection;
    }
    const { config, layer } = this.#transport;
    try {
      const stream = await layer.dial(address, {
        timeout: config.dialTimeout,
        signal,
        nodeId,
        addresses,
      });
      if (signal.aborted) stream.destroy();
      signal.throwIfAborted();
      return await this.#greet(stream, address, dial);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof TransportError
        ? withoutStack(error, { unreachable: error.unreachable ?? !isOwn(error) })
        : error;
    }
  }

  /** Starts a connection and waits until it is up. */
  #greet(
    stream: StreamConnection,
    address: string,
    { target, nodeId: expected, signal, watch }: AddressDial,
  ): Promise<Connection> {
    const { ticker } = this.#transport;
    return new Promise((resolve, reject) => {
      const connection = this.#transport.add(stream, {
        direction: 'out',
        target,
        expected,
        refused: undefined,
        slot: undefined,
        opened: (error) => {
          signal.removeEventListener('abort', onAbort);
          if (error === undefined) resolve(connection);
          else reject(error);
        },
      });
      watch?.reached(connection, address);
      const onAbort = () =>
        ticker.run(() => connection.break(reasonError('closed', 'the dialer gave up')));
      signal.addEventListener('abort', onAbort, { once: true });
      ticker.run(() => connection.start());
    });
  }
}

/**
 * Returns true if this end is the cause of a failed dial: it has no room or no file descriptor for
 * a connection, or its own certificate has expired.
 */
function isOwn({ code, reason, origin }: TransportError): boolean {
  return origin === 'remote'
    ? reason === 'expired_certificate'
    : code === 'shutdown' || (code === 'resource_exhausted' && (reason ?? 'full') === 'full');
}

function noAddresses(target: string): TransportError {
  return reasonError('no_addresses', `Cannot connect to ${target}: it has no addresses now`, {
    target,
    sent: false,
  });
}

/** Returns the error of the last address, with all addresses that were tried. */
function allFailed(
  target: string,
  addresses: readonly string[],
  last: TransportError,
): TransportError {
  const shown = addresses.slice(0, SHOWN).join(', ');
  const more = addresses.length > SHOWN ? ` and ${addresses.length - SHOWN} more` : '';
  const message = `Cannot connect to ${target}: tried ${shown}${more}; the last error: ${last.message}`;
  return withDetails(last, { target, sent: false, cause: last }, message);
}

/** The maximum number of addresses that an error lists. */
const SHOWN = 8;

// ServingState decides whether this node takes calls to a service, from the drain state and the
// health of the node.

/** Combines a transport's drain state with its health, and notifies listeners of changes. */
export class ServingState {
  readonly #hasWithdrawn: (service: string) => boolean;
  readonly #listeners = new Set<() => void>();
  #health: ((service: string) => string) | undefined;

  /** @param hasWithdrawn returns true if the transport drains, unless the service goes on. */
  constructor(hasWithdrawn: (service: string) => boolean) {
    this.#hasWithdrawn = hasWithdrawn;
  }

  /** Sets the health that is served, by service; undefined when none is served anymore. */
  set health(health: ((service: string) => string) | undefined) {
    this.#health = health;
    this.changed();
  }

  /** Returns false if the transport drains, or if the health of the service says so. */
  isServing(service: string): boolean {
    return !this.#hasWithdrawn(service) && this.#health?.(service) !== 'not_serving';
  }

  /** Calls a function after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    // A wrapper, so that a function that is registered twice is called twice.
    const mine = () => listener();
    this.#listeners.add(mine);
    return () => void this.#listeners.delete(mine);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

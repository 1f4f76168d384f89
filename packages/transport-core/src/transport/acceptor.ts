// The accepting side of a transport. It owns the listener and the handshakes of accepted
// connections; it asks the transport for room, and hands each connection to it.

import type { Clock } from '../clock.ts';
import { reasonError, TransportError, withDetails } from '../errors.ts';
import { BoundedHandshakes, HandshakePlace, Listener } from '../stream/accept.ts';
import type { Connection } from '../stream/connection.ts';
import type { ConnectionInit, ConnectionResources } from '../stream/connection-resources.ts';
import type { HandshakeSlot, StreamConnection, StreamLayer } from '../stream/stream-layer.ts';
import { screenHello } from '../wire/hello.ts';
import type { EventDispatcher } from './reporter.ts';

/** The transport as its acceptor and its dialer see it. */
export interface ConnectionRegistry extends ConnectionResources {
  readonly clock: Clock;
  readonly layer: StreamLayer;
  readonly dispatcher: EventDispatcher;
  readonly state: 'open' | 'closing' | 'closed';
  /** All connections whose stream is not closed yet. */
  readonly connections: { readonly size: number };
  /** Reports that a listener has failed: the node is not ready until `listensAgain` is called. */
  listenFailed(listener: object, error: TransportError, retryIn: number): void;
  /** Reports that a listener that had failed listens again, or is not needed anymore. */
  listensAgain(listener: object): void;
  /** Returns an error if `limits.connections` allows no more connections. */
  full(): TransportError | undefined;
  /** Creates the connection of a stream and adds it to the transport's connections. */
  add(stream: StreamConnection, init: Omit<ConnectionInit, 'id'>): Connection;
}

/** Accepts connections. */
export class Acceptor {
  /** True once `listen` has succeeded, until `stop` is called. */
  listening = false;
  readonly #transport: ConnectionRegistry;
  readonly #handshakes: BoundedHandshakes;
  readonly #listener: Listener;
  #listened: Promise<void> | undefined = undefined;
  #stopped: Promise<void> | undefined = undefined;

  constructor(transport: ConnectionRegistry) {
    this.#transport = transport;
    const { config, clock, layer } = transport;
    this.#handshakes = new BoundedHandshakes(
      config.limits.handshakes,
      () => transport.ticker.now(),
      (endpoint, error, place) => this.#rejected(endpoint, error, place),
    );
    this.#listener = new Listener(
      layer,
      clock,
      (stream, slot) => this.#accept(stream, slot),
      (error, retryIn) => transport.listenFailed(this, error, retryIn),
      () => transport.listensAgain(this),
      {
        timeout: config.handshakeTimeout,
        handshakes: { acquire: (...connection) => this.#acquire(...connection) },
        screen: screenHello,
      },
    );
  }

  listen(): Promise<void> {
    if (this.#transport.state !== 'open')
      return Promise.reject(new TransportError('shutdown', 'listen: this transport is closed'));
    if (this.#listened !== undefined)
      return Promise.reject(
        new TransportError('failed_precondition', 'listen: this transport is already listening'),
      );
    this.#listened = this.#listener.start().then(
      () => {
        if (this.#transport.state !== 'open')
          throw new TransportError(
            'shutdown',
            'listen: this transport was closed while it started to listen',
          );
        this.listening = true;
      },
      (error) => {
        this.#listened = undefined;
        throw error;
      },
    );
    return this.#listened;
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
    const { dispatcher, membership } = this.#transport;
    dispatcher.tell({ type: 'rejected', endpoint, direction: 'in', error });
    if (tellsMembership) membership?.turnedAway?.(endpoint, error, undefined);
  }
}

const CROWDED = reasonError(
  'full',
  'too many connections have not completed their hello (limits.handshakes)',
);

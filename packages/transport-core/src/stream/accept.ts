// Acceptor accepts connections. It keeps the layer listening, owns the handshakes of accepted
// connections, asks the transport for room, and passes each connection to it. `TransportEngine`
// owns it. Below is BoundedHandshakes. listener.test.ts and bounded-handshakes.test.ts test this
// file.

import { sourceOf } from '../address.ts';
import type { ClockTimer } from '../clock.ts';
import { reasonError, TransportError, withDetails } from '../errors.ts';
import { screenHello } from '../wire/preamble.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import type { HandshakeLimiter, HandshakeSlot, StreamConnection } from './stream-layer.ts';

/** Accepts connections, and listens again after failures. */
export class Acceptor {
  /**
   * True once `listen` has succeeded, until `retire` or `stop` is called; also while a listener
   * that has failed waits for its next attempt.
   */
  listening = false;
  /** The handshakes of accepted connections. */
  readonly handshakes: BoundedHandshakes;
  readonly #transport: ConnectionHost;
  #hasBegun = false;
  /** retired: only connections that are in a handshake of the layer still come. */
  #end: 'retired' | 'stopped' | undefined = undefined;
  #stopped: Promise<void> | undefined = undefined;
  /** The timer of the next attempt; undefined if none is due. */
  #timer: ClockTimer = undefined;
  #delay = FIRST_DELAY;

  constructor(transport: ConnectionHost) {
    this.#transport = transport;
    this.handshakes = new BoundedHandshakes(transport);
  }

  /**
   * Starts listening. Rejects with `failed_precondition` if it listens already, with `shutdown`
   * once it is stopped or the transport closes, and with the error of the layer if that can't
   * listen; then it may be called again. Later failures are handled here.
   */
  async listen(): Promise<void> {
    if (this.#end === 'stopped' || this.#transport.state !== 'open')
      throw new TransportError('shutdown', 'listen: this transport is closed');
    if (this.#hasBegun)
      throw new TransportError('failed_precondition', 'listen: this transport listens already');
    this.#hasBegun = true;
    try {
      await this.#bind();
    } catch (error) {
      this.#hasBegun = false;
      throw error;
    }
    if (this.#end !== undefined || this.#transport.state !== 'open')
      throw new TransportError('shutdown', 'listen: this transport was closed meanwhile');
    this.listening = true;
  }

  #bind(): Promise<void> {
    const { config, layer } = this.#transport;
    return layer.listen(
      (stream, slot) => {
        // Only an accepted connection shows that listening works again.
        this.#delay = FIRST_DELAY;
        this.#accept(stream, slot);
      },
      (error) => this.#again(error),
      { timeout: config.handshakeTimeout, handshakes: this.handshakes, screen: screenHello },
    );
  }

  /** Listens again after a back-off, because the listener has failed. */
  #again(failure: unknown): void {
    if (this.#end !== undefined || this.#timer !== undefined) return;
    const error =
      failure instanceof TransportError
        ? failure
        : new TransportError('unavailable', 'listening failed', { cause: failure });
    const { clock } = this.#transport;
    const delay = this.#delay;
    this.#delay = Math.min(delay * 2, LAST_DELAY);
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      this.#bind().then(
        () => {
          // Another part of the layer may have failed in the meantime.
          if (this.#timer === undefined) this.#transport.listensAgain(this);
        },
        (error: unknown) => this.#again(error),
      );
    }, delay);
    // The observer may close the transport, which clears the timer.
    this.#transport.listenFailed(this, error, delay);
  }

  /**
   * Accepts no more connections, but lets the layer complete handshakes that have begun; `stop`
   * follows later. Stops at once if the layer cannot do that (`StreamLayer.stopListening`).
   */
  retire(): void {
    const { layer } = this.#transport;
    if (!this.listening) return;
    if (layer.stopListening === undefined) return void this.stop().catch(() => {});
    this.#leave('retired');
    layer.stopListening();
  }

  /** Accepts no more connections. Idempotent; resolves when nothing is bound anymore. */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #close(): Promise<void> {
    this.#leave('stopped');
    await this.#transport.layer.close();
  }

  #leave(end: 'retired' | 'stopped'): void {
    this.listening = false;
    this.#end = end;
    this.#transport.clock.clearTimeout(this.#timer);
  }

  /** @param given the slot that the layer has acquired; undefined if it acquires none. */
  #accept(stream: StreamConnection, given: HandshakeSlot | undefined): void {
    const { config, connections, state } = this.#transport;
    // Connections that were refused or are closing still hold a socket until their peer closes it
    // or a time limit passes, so their number is bounded, too.
    const isFull = connections.size >= config.limits.connections * 2;
    if (this.#end === 'stopped' || state !== 'open' || isFull) {
      given?.leave();
      return stream.destroy();
    }
    const refused = this.#transport.full();
    let connection: Connection | undefined;
    // Called before `acquire` returns if there is a place: then there is nothing to unpark yet.
    const unpark = () => connection?.input.unpark();
    const { endpoint } = stream;
    const place = given === undefined ? this.handshakes.acquire(endpoint, unpark) : undefined;
    const slot = given ?? place;
    if (slot === undefined) return stream.destroy();
    if (slot instanceof HandshakePlace) slot.isTaken = true;
    connection = this.#transport.add(stream, { direction: 'in', refused, slot });
    connection.start();
    if (place?.waits) connection.input.park();
  }
}

/**
 * The back-off in milliseconds after which a failed listener is tried again; it doubles. It is the
 * same as that of hashicorp/raft for a failing accept.
 */
const FIRST_DELAY = 5;
const LAST_DELAY = 1_000;

// Limits the handshakes of accepted connections (limits.handshakes): a limited number run at a
// time, up to four times as many wait unread, and any further connections are closed. A handshake
// that only waits for the dialer's confirmation costs nothing but memory, so it frees its place for
// the next one; if there are more than eight times as many of these, the oldest ends. A layer with
// its own handshake acquires places by itself; Acceptor does so for the connections of others.

/** Admits connections to the handshake, and reports those that get no place or fail. */
export class BoundedHandshakes implements HandshakeLimiter {
  readonly #pending: number;
  readonly #perSource: number;
  readonly #transport: ConnectionHost;
  readonly #waiting = new Set<HandshakePlace>();
  /** The handshakes that this end has answered, oldest first. */
  readonly #answered = new Set<HandshakePlace>();
  /**
   * The places of sources that failed handshakes still occupy, in order, each with the time at
   * which it becomes free.
   */
  readonly #kept: { readonly source: string; readonly until: number }[] = [];
  /**
   * The number of places that each source occupies, including those in `#kept`. All connections
   * count for the source '' if sources have no limit and the layer names none.
   */
  readonly #sources = new Map<string, number>();
  /** The number of handshakes that run: those that neither wait nor are answered. */
  #inside = 0;

  constructor(transport: ConnectionHost) {
    const { pending, perSource } = transport.config.limits.handshakes;
    this.#pending = pending;
    this.#perSource = perSource ?? Number.POSITIVE_INFINITY;
    this.#transport = transport;
  }

  /** The number of accepted connections that are in a handshake or waiting for one. */
  get size(): number {
    return this.#inside + this.#answered.size + this.#waiting.size;
  }

  // A layer may call it without this object.
  readonly acquire = (
    endpoint: string,
    enter: (slot: HandshakeSlot) => void,
    given?: string,
  ): HandshakePlace | undefined => {
    const now = this.#transport.ticker.now();
    this.#letGo(now);
    const source =
      given ?? (this.#perSource === Number.POSITIVE_INFINITY ? '' : sourceOf(endpoint));
    const count = this.#sources.get(source) ?? 0;
    const isFull = this.#inside >= this.#pending;
    if (count >= this.#perSource || (isFull && this.#waiting.size >= this.#pending * QUEUE))
      return void this.#rejected(endpoint, CROWDED, undefined);
    this.#sources.set(source, count + 1);
    const place = new HandshakePlace(this, endpoint, source, given !== undefined, now, enter);
    if (isFull) this.#waiting.add(place);
    else this.#admit(place);
    return place;
  };

  #admit(place: HandshakePlace): void {
    this.#inside++;
    place.waits = false;
    place.entered(place);
  }

  /** Frees the place of a handshake, and ends the oldest if too many wait for confirmations. */
  answered(place: HandshakePlace): void {
    this.#answered.add(place);
    const [oldest] = this.#answered;
    if (this.#answered.size > this.#pending * ANSWERED) oldest!.end(OUTPACED);
    this.#leaveInside();
  }

  /** Removes a handshake that is complete, or has failed with this error. */
  left(place: HandshakePlace, error: TransportError | undefined): void {
    const { endpoint, source } = place;
    const hasFailed = error !== undefined;
    // Otherwise a client that aborts each handshake after the costly half could start a new one
    // immediately.
    if (hasFailed && this.#perSource !== Number.POSITIVE_INFINITY)
      this.#kept.push({ source, until: this.#transport.ticker.now() + PENALTY });
    else this.#free(source);
    // A handshake that neither waits nor only awaits its confirmation had a place.
    if (!this.#waiting.delete(place) && !this.#answered.delete(place)) this.#leaveInside();
    if (hasFailed) this.#rejected(endpoint, error, place);
  }

  /**
   * Gives the place of a handshake to the first one that waits. If its layer has named its source,
   * the first one of the named source with the fewest handshakes gets the place instead.
   */
  #leaveInside(): void {
    this.#inside--;
    let [next] = this.#waiting;
    if (next === undefined) return;
    if (next.isNamed)
      for (const place of this.#waiting) if (this.#count(place) < this.#count(next)) next = place;
    this.#waiting.delete(next);
    this.#admit(next);
  }

  /** @param place the place of a connection that has one: its handshake has failed. */
  #rejected(endpoint: string, cause: TransportError, place: HandshakePlace | undefined): void {
    // Without a place, all connections share one error: in a flood, creating an error for each
    // would cost more than refusing the connection.
    const error = place === undefined ? cause : withDetails(cause, { target: endpoint });
    this.#transport.reporter.tell({ type: 'rejected', endpoint, direction: 'in', error });
    // If the transport has taken the connection, its `down` notifies the membership.
    if (place?.isTaken !== true)
      this.#transport.membership?.turnedAway?.(endpoint, error, undefined);
  }

  #count({ source, isNamed }: HandshakePlace): number {
    return isNamed ? this.#sources.get(source)! : Number.POSITIVE_INFINITY;
  }

  #letGo(now: number): void {
    let over = 0;
    while (over < this.#kept.length && this.#kept[over]!.until <= now)
      this.#free(this.#kept[over++]!.source);
    // All at once: each `shift` of a long array would move it.
    if (over > 0) this.#kept.splice(0, over);
  }

  #free(source: string): void {
    const left = (this.#sources.get(source) ?? 1) - 1;
    if (left === 0) this.#sources.delete(source);
    else this.#sources.set(source, left);
  }
}

/** The handshake slot of one connection. */
export class HandshakePlace implements HandshakeSlot {
  readonly endpoint: string;
  readonly source: string;
  /** True if its layer has named the source. */
  readonly isNamed: boolean;
  readonly since: number;
  /** True once the transport has the connection; before that, it belongs to the layer. */
  isTaken = false;
  /** True while the connection waits for its turn. */
  waits = true;
  readonly #handshakes: BoundedHandshakes;
  /** Called when its turn has come. */
  readonly entered: (slot: HandshakeSlot) => void;
  #end: ((error: TransportError) => void) | undefined;
  #left = false;

  constructor(
    handshakes: BoundedHandshakes,
    endpoint: string,
    source: string,
    isNamed: boolean,
    since: number,
    entered: (slot: HandshakeSlot) => void,
  ) {
    this.#handshakes = handshakes;
    this.endpoint = endpoint;
    this.source = source;
    this.isNamed = isNamed;
    this.since = since;
    this.entered = entered;
  }

  answered(end: (error: TransportError) => void): void {
    if (this.#left || this.waits) return;
    const isFirst = this.#end === undefined;
    this.#end = end;
    if (isFirst) this.#handshakes.answered(this);
  }

  /** Ends the connection of an answered handshake, and frees its place. */
  end(error: TransportError): void {
    this.#end?.(error);
    this.leave(error);
  }

  leave(error?: TransportError): void {
    if (this.#left) return;
    this.#left = true;
    this.#handshakes.left(this, error);
  }
}

/** The number of connections that may wait for each one that is in a handshake. */
const QUEUE = 4;
/**
 * The number of answered handshakes for each one that may run. If 64 may run, and 3,000 dialers a
 * second say nothing after their first message, each still has 170 ms to confirm.
 */
const ANSWERED = 8;
const CROWDED = reasonError(
  'full',
  'too many connections have not completed their hello (limits.handshakes)',
);
const OUTPACED = reasonError(
  'full',
  'too many newer connections wait for the end of their hello (limits.handshakes)',
);
/**
 * Duration, in milliseconds, for which a failed handshake keeps the place of its source, so that a
 * source can fail at most `perSource` handshakes per second.
 */
const PENALTY = 1_000;

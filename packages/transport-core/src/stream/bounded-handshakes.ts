// Limits the handshakes of accepted connections (limits.handshakes): a limited number run at a
// time, up to four times as many wait unread, and any further connections are closed.

import type { TransportError } from '../errors.ts';
import { sourceOf } from '../host-port.ts';
import type { HandshakeLimiter, HandshakeSlot } from './stream-layer.ts';

/** Admits connections to the handshake. */
export class BoundedHandshakes implements HandshakeLimiter {
  readonly #pending: number;
  readonly #perSource: number;
  readonly #now: () => number;
  /** Called when the handshake of a connection fails. */
  readonly #rejected: (endpoint: string, error: TransportError, place: HandshakePlace) => void;
  readonly #waiting = new Set<HandshakePlace>();
  /**
   * The places that failed handshakes still occupy, in order, each with its source and the time at
   * which it becomes free.
   */
  readonly #kept: { readonly source: string; readonly until: number }[] = [];
  readonly #sources = new Map<string, number>();
  #inside = 0;

  constructor(
    limits: { readonly pending: number; readonly perSource?: number | undefined },
    now: () => number,
    rejected: (endpoint: string, error: TransportError, place: HandshakePlace) => void,
  ) {
    this.#pending = limits.pending;
    this.#perSource = limits.perSource ?? Number.POSITIVE_INFINITY;
    this.#now = now;
    this.#rejected = rejected;
  }

  /** The number of accepted connections that are in a handshake or waiting for one. */
  get size(): number {
    return this.#inside + this.#waiting.size;
  }

  acquire(
    endpoint: string,
    enter: (slot: HandshakeSlot) => void,
    given?: string,
  ): HandshakePlace | undefined {
    const now = this.#now();
    this.#letGo(now);
    const source =
      given ?? (this.#perSource === Number.POSITIVE_INFINITY ? '' : sourceOf(endpoint));
    const count = this.#sources.get(source) ?? 0;
    const isFull = this.#inside >= this.#pending;
    if (count >= this.#perSource || (isFull && this.#waiting.size >= this.#pending * QUEUE))
      return undefined;
    this.#sources.set(source, count + 1);
    const place = new HandshakePlace(now, given, enter, (error) => {
      this.#left(place, source, error !== undefined);
      if (error !== undefined) this.#rejected(endpoint, error, place);
    });
    if (isFull) this.#waiting.add(place);
    else this.#admit(place);
    return place;
  }

  #admit(place: HandshakePlace): void {
    this.#inside++;
    place.enter();
  }

  #left(place: HandshakePlace, source: string, hasFailed: boolean): void {
    // Otherwise a client that aborts each handshake after the costly half could start a new one
    // immediately.
    if (hasFailed && this.#perSource !== Number.POSITIVE_INFINITY)
      this.#kept.push({ source, until: this.#now() + PENALTY });
    else this.#free(source);
    if (this.#waiting.delete(place)) return;
    this.#inside--;
    let [next] = this.#waiting;
    if (next === undefined) return;
    if (next.source !== undefined)
      for (const place of this.#waiting)
        if (this.#count(place.source) < this.#count(next.source)) next = place;
    this.#waiting.delete(next);
    this.#admit(next);
  }

  #count(source: string | undefined): number {
    return source === undefined ? Number.POSITIVE_INFINITY : this.#sources.get(source)!;
  }

  #letGo(now: number): void {
    let over = 0;
    while (over < this.#kept.length && this.#kept[over]!.until <= now)
      this.#free(this.#kept[over++]!.source);
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
  readonly since: number;
  /** The source that its layer has named. */
  readonly source: string | undefined;
  #isTaken = false;
  #waits = true;
  readonly #entered: (slot: HandshakeSlot) => void;
  readonly #leave: (error: TransportError | undefined) => void;
  #left = false;

  constructor(
    since: number,
    source: string | undefined,
    entered: (slot: HandshakeSlot) => void,
    leave: (error: TransportError | undefined) => void,
  ) {
    this.since = since;
    this.source = source;
    this.#entered = entered;
    this.#leave = leave;
  }

  /** True once the transport has the connection; before that, it belongs to the layer. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  take(): void {
    this.#isTaken = true;
  }

  /** True while the connection waits for its turn. */
  get waits(): boolean {
    return this.#waits;
  }

  enter(): void {
    this.#waits = false;
    this.#entered(this);
  }

  leave(error?: TransportError): void {
    if (this.#left) return;
    this.#left = true;
    this.#leave(error);
  }
}

/** The number of connections that may wait for each one that is in a handshake. */
const QUEUE = 4;
/**
 * Duration, in milliseconds, for which a failed handshake keeps its place, so that a source can
 * fail `perSource` handshakes per second.
 */
const PENALTY = 1_000;

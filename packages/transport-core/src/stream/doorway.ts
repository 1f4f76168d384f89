// Accepted connections whose hello is not through: so many at a time, more wait unread, yet more are closed (limits.handshakes).

import type { TransportError } from '../errors.ts';
import { sourceOf } from '../host-port.ts';
import type { Doorway as DoorwayPort, Pass } from './stream-layer.ts';

export class Doorway implements DoorwayPort {
  readonly #pending: number;
  readonly #perSource: number;
  readonly #now: () => number;
  /** A connection did not come through, and why. */
  readonly #rejected: (endpoint: string, error: TransportError, visit: Visit) => void;
  readonly #waiting = new Set<Visit>();
  /** Sources that keep a place for one that came to nothing, and until when; in order. */
  readonly #kept: { readonly source: string; readonly until: number }[] = [];
  readonly #sources = new Map<string, number>();
  #inside = 0;

  constructor(
    limits: { readonly pending: number; readonly perSource?: number | undefined },
    now: () => number,
    rejected: (endpoint: string, error: TransportError, visit: Visit) => void,
  ) {
    this.#pending = limits.pending;
    this.#perSource = limits.perSource ?? Number.POSITIVE_INFINITY;
    this.#now = now;
    this.#rejected = rejected;
  }

  knock(endpoint: string, enter: (pass: Pass) => void): Visit | undefined {
    const now = this.#now();
    this.#letGo(now);
    const source = this.#perSource === Number.POSITIVE_INFINITY ? '' : sourceOf(endpoint);
    const count = this.#sources.get(source) ?? 0;
    const isFull = this.#inside >= this.#pending;
    if (count >= this.#perSource || (isFull && this.#waiting.size >= this.#pending * QUEUE)) return undefined;
    this.#sources.set(source, count + 1);
    const visit = new Visit(now, enter, (error) => {
      this.#left(visit, source, error !== undefined);
      if (error !== undefined) this.#rejected(endpoint, error, visit);
    });
    if (isFull) this.#waiting.add(visit);
    else this.#admit(visit);
    return visit;
  }

  #admit(visit: Visit): void {
    this.#inside++;
    visit.enter();
  }

  #left(visit: Visit, source: string, hasFailed: boolean): void {
    // Else who breaks off each handshake, when the costly half is done, has a new one at once.
    if (hasFailed && this.#perSource !== Number.POSITIVE_INFINITY) this.#kept.push({ source, until: this.#now() + PENALTY });
    else this.#free(source);
    if (this.#waiting.delete(visit)) return;
    this.#inside--;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#admit(next);
  }

  #letGo(now: number): void {
    let over = 0;
    while (over < this.#kept.length && this.#kept[over]!.until <= now) this.#free(this.#kept[over++]!.source);
    if (over > 0) this.#kept.splice(0, over);
  }

  #free(source: string): void {
    const left = (this.#sources.get(source) ?? 1) - 1;
    if (left === 0) this.#sources.delete(source);
    else this.#sources.set(source, left);
  }
}

export class Visit implements Pass {
  readonly since: number;
  /** The transport has the connection; before that it is the layer's. */
  isTaken = false;
  /** It is not its turn yet. */
  waits = true;
  readonly #entered: (pass: Pass) => void;
  readonly #leave: (error: TransportError | undefined) => void;
  #left = false;

  constructor(since: number, entered: (pass: Pass) => void, leave: (error: TransportError | undefined) => void) {
    this.since = since;
    this.#entered = entered;
    this.#leave = leave;
  }

  enter(): void {
    this.waits = false;
    this.#entered(this);
  }

  leave(error?: TransportError): void {
    if (this.#left) return;
    this.#left = true;
    this.#leave(error);
  }
}

/** Waiting connections for each that is inside. */
const QUEUE = 4;
/** Milliseconds for which a source keeps the place of a handshake that came to nothing: so many of them a second as `perSource` says. */
const PENALTY = 1_000;

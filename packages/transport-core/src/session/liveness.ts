// Is the peer alive, and is the connection still wanted? (docs/wire-protocol.md §9, and idleness)

import type { Random } from '../random.ts';

export interface KeepAlive {
  /** A PING after so long with nothing received. */
  readonly interval: number;
  /** The peer is given up so long after that, if still nothing came. */
  readonly timeout: number;
}

export class Liveness {
  rtt: number | undefined = undefined;
  #received: number;
  #pinged: number;
  /** The nonce that is out, 0: none. */
  #nonce = 0;
  readonly #keepAlive: KeepAlive;
  readonly #random: Random;

  constructor(keepAlive: KeepAlive, random: Random, now: number) {
    this.#keepAlive = keepAlive;
    this.#random = random;
    this.#received = this.#pinged = now;
  }

  /** Any byte is life. */
  heard(now: number): void {
    this.#received = now;
  }

  /** For how long a PING has been out with nothing received since. */
  silence(now: number): number {
    return this.#nonce === 0 ? 0 : Math.max(0, now - Math.max(this.#received, this.#pinged));
  }

  /** The nonce of a PING to be sent now, below 2^31 as ids are: V8 keeps higher ones on the heap, and has ids of frames that might be either. */
  ping(now: number): number {
    this.#pinged = now;
    this.#nonce = 1 + Math.floor(this.#random() * 0x7fff_fffe);
    return this.#nonce;
  }

  /** A PING is out. */
  get asks(): boolean {
    return this.#nonce !== 0;
  }

  /** A PONG; one that nobody asked for is ignored. Gives the round trip. */
  pong(nonce: number, now: number): number | undefined {
    if (nonce !== this.#nonce || nonce === 0) return undefined;
    this.#nonce = 0;
    this.rtt = Math.max(now - this.#pinged, 0);
    return this.rtt;
  }

  /** When to look again, given the time of the last message. */
  due(active: number): number {
    if (this.#nonce !== 0) return this.#deadline();
    return active > this.#pinged ? this.#pinged + this.#keepAlive.interval : Math.max(this.#received, this.#pinged) + this.#keepAlive.interval;
  }

  /** The peer has let a PING and everything else pass in silence. */
  dead(now: number): boolean {
    return this.#nonce !== 0 && now >= this.#deadline();
  }

  /** A PING that only measures is out early: the peer may be silent for the whole interval all the same. */
  #deadline(): number {
    return Math.max(this.#pinged, this.#received + this.#keepAlive.interval) + this.#keepAlive.timeout;
  }

  /** A PING is due: for silence, or to measure a busy connection. */
  wantsPing(now: number, active: number): boolean {
    return this.#nonce === 0 && now >= this.due(active);
  }

  /** We slept: what would accuse the peer moves by as much. */
  excuse(lateness: number): void {
    this.#received += lateness;
    if (this.#nonce !== 0) this.#pinged += lateness;
  }
}

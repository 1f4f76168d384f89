// Bytes across a simulated link: whole and in order, as TCP brings them. What a network loses comes late; too late, and it is over.

import { checksum, Happening } from '../world/trace.ts';
import type { Interceptors } from './interceptors.ts';
import { SimLine } from './sim-line.ts';

export class ByteLine extends SimLine<Uint8Array, Uint8Array> {
  readonly #interceptors: Interceptors;

  constructor(interceptors: Interceptors, _parity: 0 | 1, ...rest: ConstructorParameters<typeof SimLine<Uint8Array, Uint8Array>>) {
    super(...rest);
    this.#interceptors = interceptors;
  }

  put(chunk: Uint8Array): void {
    if (!this.from.alive) return;
    const { path } = this;
    this.trace(Happening.sent, 0, chunk.length, checksum(chunk));
    for (const piece of path.chance(path.settings.fragment) ? this.#pieces(chunk) : [chunk]) {
      let delay = path.delay(this.world.now, piece.length, true)!;
      for (let wait = RETRANSMIT; path.loses(); wait *= 2) {
        if (wait > LAST_RETRANSMISSION) return this.break();
        delay += wait;
      }
      // What others may overtake elsewhere holds them up here.
      if (path.chance(path.settings.reorder)) delay += path.detour();
      this.cross(piece, delay);
    }
  }

  protected deliver(piece: Uint8Array): void {
    const { path, world } = this;
    const judged = this.#interceptors.empty ? piece : this.#interceptors.chunk(this.from.name, this.to.name, world.now, piece);
    if (judged === undefined) return this.break();
    const bytes = path.chance(path.settings.corrupt) ? this.#corrupted(judged) : judged;
    this.trace(Happening.arrived, 0, bytes.length, checksum(bytes));
    this.end.arrive(bytes);
  }

  protected spared(piece: Uint8Array): Uint8Array {
    return piece;
  }

  /**
   * TCP sends it again at times that lie further and further apart: after a long cut it is quiet
   * for a while yet.
   */
  protected override resentAt(cutAt: number, trip: number): number {
    const earliest = this.world.now + trip;
    let wait = RETRANSMIT + 2 * trip + DELAYED_ACK;
    let at = cutAt;
    while (at < earliest) {
      at += wait;
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
    return at;
  }

  /** Two to five pieces, or as many as it has bytes, cut anywhere. */
  #pieces(chunk: Uint8Array): Uint8Array[] {
    const { random } = this.path;
    const count = 2 + Math.floor(random() * 4);
    const cuts = Array.from({ length: count - 1 }, () => Math.floor(random() * chunk.length)).sort((a, b) => a - b);
    return [0, ...cuts].map((start, i) => chunk.subarray(start, cuts[i] ?? chunk.length)).filter(({ length }) => length > 0);
  }

  #corrupted(piece: Uint8Array): Uint8Array {
    const copy = piece.slice();
    const bit = Math.floor(this.path.random() * copy.length * 8);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    return copy;
  }
}

/** Milliseconds before the first retransmission, doubling from there: Linux's least (RFC 6298 says a second). */
const RETRANSMIT = 200;
/**
 * Milliseconds that a reader's delayed acknowledgment adds to a round trip as TCP measures it, on
 * average (Linux: up to 40).
 */
const DELAYED_ACK = 20;
/** Milliseconds between retransmissions at most: Linux's TCP_RTO_MAX. */
const LONGEST_WAIT = 120_000;
/** A chunk that this one did not bring across either, 51 s after the first try, ends its connection. */
const LAST_RETRANSMISSION = 25_600;

// Bytes on a simulated link: they arrive whole and in order, as over TCP. Loss only delays them. If
// too many retransmissions fail, the connection breaks.

import { checksum, NO_EVENT, TraceKind } from '../kernel/trace.ts';
import { SimLine } from './sim-line.ts';

/** One direction of a stream connection. */
export class ByteLine extends SimLine<Uint8Array, Uint8Array> {
  /** The chunks in flight, if the simulation records: each with the offset at its end. */
  #chunks: { readonly event: number; readonly end: number }[] = [];
  #bytesSent = 0;
  #bytesArrived = 0;

  put(chunk: Uint8Array): void {
    if (!this.from.alive) return;
    const { path } = this;
    if (this.loop.trace.recorder !== undefined) {
      this.#bytesSent += chunk.length;
      this.#chunks.push({ event: this.loop.trace.events, end: this.#bytesSent });
    }
    this.trace(TraceKind.sent, 0, chunk.length, checksum(chunk));
    for (const piece of path.chance(path.settings.fragment) ? this.#pieces(chunk) : [chunk]) {
      let delay = path.delay(this.loop.now, piece.length, true)!;
      for (let wait = RETRANSMIT; path.loses(); wait *= 2) {
        if (wait > LAST_RETRANSMISSION) return this.break();
        delay += wait;
      }
      // On another link, later pieces could overtake this one; here, it delays them.
      if (path.chance(path.settings.reorder)) delay += path.detour();
      this.cross(piece, delay);
    }
  }

  protected deliver(piece: Uint8Array): void {
    const { path, loop } = this;
    const sent = this.#chunkOf(piece);
    const judged = this.interceptors.empty
      ? piece
      : this.interceptors.chunk(this.from.name, this.to.name, loop.now, piece);
    if (judged === undefined) return this.break();
    // The reader acknowledges the bytes that it gets; the writer counts those that it has sent.
    if (judged.length !== piece.length) this.back.acknowledge(piece.length - judged.length);
    const bytes = path.chance(path.settings.corrupt) ? this.#corrupted(judged) : judged;
    this.trace(TraceKind.arrived, 0, bytes.length, checksum(bytes), sent);
    this.end.arrive(bytes);
  }

  /** Returns the number of the event that sent the bytes that arrive now. */
  #chunkOf({ length }: Uint8Array): number {
    this.#bytesArrived += length;
    while (this.#chunks.length > 0 && this.#chunks[0]!.end < this.#bytesArrived)
      this.#chunks.shift();
    return this.#chunks[0]?.event ?? NO_EVENT;
  }

  protected survivesCut(piece: Uint8Array): Uint8Array {
    return piece;
  }

  /**
   * Follows TCP, which retransmits at growing intervals, so that a connection stays silent for a
   * while after a long cut.
   */
  protected override resentAt(cutAt: number, trip: number): number {
    const earliest = this.loop.now + trip;
    let wait = RETRANSMIT + 2 * trip + DELAYED_ACK;
    let at = cutAt;
    while (at < earliest) {
      at += wait;
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
    return at;
  }

  /** Cuts a chunk into two to five pieces at random places, or into fewer if it is short. */
  #pieces(chunk: Uint8Array): Uint8Array[] {
    const { random } = this.path;
    const count = 2 + Math.floor(random() * 4);
    const cuts = Array.from({ length: count - 1 }, () => Math.floor(random() * chunk.length)).sort(
      (a, b) => a - b,
    );
    return [0, ...cuts]
      .map((start, i) => chunk.subarray(start, cuts[i] ?? chunk.length))
      .filter(({ length }) => length > 0);
  }

  #corrupted(piece: Uint8Array): Uint8Array {
    const copy = piece.slice();
    const bit = Math.floor(this.path.random() * copy.length * 8);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    return copy;
  }
}

/**
 * Milliseconds before the first retransmission; each further wait is twice as long. The value is
 * the minimum of Linux (RFC 6298 says one second).
 */
const RETRANSMIT = 200;
/**
 * Milliseconds that a reader's delayed acknowledgment adds to the measured round trip on average
 * (Linux: up to 40).
 */
const DELAYED_ACK = 20;
/** Longest interval between retransmissions, in milliseconds: TCP_RTO_MAX of Linux. */
const LONGEST_WAIT = 120_000;
/**
 * The wait for the last retransmission, in milliseconds. If a chunk is lost again after it, 51 s
 * after the first try, its connection breaks.
 */
const LAST_RETRANSMISSION = 25_600;

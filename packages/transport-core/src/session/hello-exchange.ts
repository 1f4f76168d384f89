// The opening of a session: both preambles and both HELLOs (docs/wire-protocol.md §2, §3).
//
// Owns how much of the peer's preamble was read, and the time by which the hello must be over. The
// session tells it what arrived. It writes our preamble and our HELLO into the batch, and judges
// those of the peer; the session decides what follows.

import { reasonError, type TransportError } from '../errors.ts';
import { type Frame, Kind, PREAMBLE } from '../wire/frame.ts';
import { decodeHello, encodeHello, type Hello } from '../wire/hello.ts';
import type { Batch } from './batch.ts';
import type { Mounted } from './channel.ts';
import { type Introduction, judgeHello, makeHello } from './handshake.ts';
import { isNoise, lookAlike } from './preamble.ts';
import type { SessionLimits } from './session-context.ts';

export interface HelloExchangeOptions {
  readonly side: 'dialer' | 'acceptor';
  readonly self: Introduction;
  readonly limits: SessionLimits;
  /** The peer's address as this end sees it. */
  readonly observed: string;
  /** The mounted protocols by channel; the map changes as protocols are mounted. */
  readonly mounts: ReadonlyMap<number, Mounted>;
  /** Writes the preamble; undefined if the connection carries frames. */
  readonly preamble: (() => void) | undefined;
  /** The node id that the security layer proved for the peer; undefined if it proved none. */
  readonly proven: string | undefined;
  /** Set if the layer below refuses this peer: the session only tells the peer why, and ends. */
  readonly refused: TransportError | undefined;
  /** Milliseconds from the creation of the session within which the hello must be over. */
  readonly handshakeTimeout: number;
  readonly now: number;
}

export class HelloExchange {
  /** True once the peer's preamble was read completely. */
  matched: boolean;
  /** The time by which the hello must be over. */
  due: number;
  /**
   * True if our protocols changed after we sent our HELLO, so the peer still has to learn the new
   * list.
   */
  isStale = false;
  readonly #batch: Batch;
  readonly #options: HelloExchangeOptions;
  readonly #seen: number[] = [];
  #spoke = false;

  constructor(batch: Batch, options: HelloExchangeOptions) {
    this.#batch = batch;
    this.#options = options;
    this.matched = options.preamble === undefined;
    this.due = options.now + options.handshakeTimeout;
  }

  /**
   * True if this end may write: the dialer speaks first. Before its preamble was read, a dialing
   * peer may speak any other protocol, so it is sent nothing.
   */
  get maySpeak(): boolean {
    return this.#options.side === 'dialer' || this.matched;
  }

  /** Moves the time limit by the `lateness` milliseconds of sleep. */
  excuse(lateness: number): void {
    this.due += lateness;
  }

  /** Called when a protocol was mounted or unmounted. */
  mountsChanged(): void {
    this.isStale = true;
  }

  /** Sends our preamble, once. */
  speak(): void {
    if (!this.#spoke) this.#options.preamble?.();
    this.#spoke = true;
  }

  /** Writes our HELLO. */
  hello(fields: Readonly<Record<string, string>>, features?: readonly string[]): void {
    this.isStale = false;
    this.#batch.hello(Kind.HELLO, encodeHello(makeHello(this.#options, fields, features)));
  }

  /**
   * Reads the peer's preamble; an acceptor sends its own in reply. Returns the rest of the chunk,
   * or an error if the bytes are not a Trunkline preamble.
   */
  read(chunk: Uint8Array): Uint8Array | TransportError {
    let at = 0;
    for (; at < chunk.length && this.#seen.length < PREAMBLE.length; at++) {
      if (chunk[at] === PREAMBLE[this.#seen.length]) this.#seen.push(chunk[at]!);
      else {
        const bytes = new Uint8Array([...this.#seen, ...chunk.subarray(at, at + 16)]);
        // A Trunkline peer with noise learns from our preamble that this end is plain; any other
        // peer gets no byte.
        if (isNoise(bytes)) this.speak();
        return reasonError(
          'wrong_preamble',
          `the other end speaks ${lookAlike(bytes)}, this end speaks plain Trunkline: give both the same security`,
        );
      }
    }
    this.matched = this.#seen.length === PREAMBLE.length;
    return chunk.subarray(at);
  }

  /** Reads the peer's HELLO. Returns the reason why this end can't talk to it, if there is one. */
  judge(frame: Frame): Hello | TransportError {
    const { self, proven, side } = this.#options;
    const hello = decodeHello(frame.hello);
    if (typeof hello === 'string') return broken(`its HELLO has ${hello}`);
    return judgeHello(hello, self, proven, side) ?? hello;
  }

  /** Returns the error for a hello that took too long. */
  late(): TransportError {
    return reasonError(
      'handshake_timeout',
      `the hello was not complete after ${this.#options.handshakeTimeout} ms`,
    );
  }
}

/** Returns the error for a peer that broke the protocol. */
export function broken(
  message: string,
  reason: 'malformed' | 'too_large' | 'flood' = 'malformed',
): TransportError {
  return reasonError(reason, `the peer broke the protocol: ${message}`);
}

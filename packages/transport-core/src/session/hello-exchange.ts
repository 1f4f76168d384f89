// The first bytes of a connection: both preambles, and our own HELLO (docs/wire-protocol.md §2,
// §3).

import { reasonError, type TransportError } from '../errors.ts';
import { Kind, PREAMBLE } from '../wire/frame.ts';
import { encodeHello } from '../wire/hello.ts';
import type { Mounted } from './channel.ts';
import { type Introduction, makeHello } from './handshake.ts';
import { isNoise, lookAlike } from './preamble.ts';
import type { SessionContext } from './session-context.ts';

export interface HelloExchangeOptions {
  readonly self: Introduction;
  /** The peer's address as this end sees it. */
  readonly observed: string;
  /** The mounted protocols by channel; the map changes as protocols are mounted. */
  readonly mounts: ReadonlyMap<number, Mounted>;
  /** Writes the preamble; undefined if the connection carries frames. */
  readonly preamble: (() => void) | undefined;
}

export class HelloExchange {
  /** True once the peer's preamble was read completely. */
  matched: boolean;
  readonly #context: SessionContext;
  readonly #options: HelloExchangeOptions;
  readonly #seen: number[] = [];
  #spoke = false;

  constructor(context: SessionContext, options: HelloExchangeOptions) {
    this.#context = context;
    this.#options = options;
    this.matched = options.preamble === undefined;
  }

  /** Sends our preamble, once. */
  speak(): void {
    if (!this.#spoke) this.#options.preamble?.();
    this.#spoke = true;
  }

  hello(fields: Readonly<Record<string, string>>, features?: readonly string[]): void {
    const { self, mounts, observed } = this.#options;
    const protocols = [...mounts.values()].map((mounted) => mounted.protocol);
    this.#context.writer.hello(
      Kind.HELLO,
      encodeHello(makeHello(self, this.#context.limits, protocols, fields, observed, features)),
    );
  }

  /**
   * Reads the peer's preamble. Returns the rest of the chunk, or an error if the bytes are not a
   * Trunkline preamble.
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
}

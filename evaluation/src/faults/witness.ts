// One end of a connection while a fault happens to it: it calls the other end ten times a second
// and records the outcome.

import {
  type Clock,
  type Observer,
  type Remote,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import type { Fate } from './kinds.ts';
import type { protocol } from './protocol.ts';

export class Witness {
  readonly #clock: Clock;
  #since = Number.POSITIVE_INFINITY;
  #down: { readonly reason: string; readonly at: number } | undefined = undefined;
  #slowest = 0;
  #answered = 0;
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Part of the transport's options; records how the connection ended. */
  readonly observer: Observer = {
    event: (event) => {
      if (event.type === 'down')
        this.#down ??= {
          reason: event.cause?.reason ?? event.cause?.code ?? 'no error',
          at: this.#clock.now(),
        };
    },
  };

  /**
   * Calls the other end of this connection, without waiting for answers, until `fate()` is called
   * or the connection closes.
   */
  async run(transport: Transport<typeof protocol>, remote: Remote, size: number): Promise<void> {
    const request = new Uint8Array(size);
    while (!this.#isOver && !remote.closed) {
      void this.#call(transport, remote, request);
      await this.#clock.sleep(PAUSE);
    }
  }

  /** Serves the calls of the other end. */
  serve(transport: Transport<typeof protocol>): void {
    serve(transport, { echo: (request) => request });
  }

  /** Marks the beginning of the fault. */
  begin(): void {
    this.#since = this.#clock.now();
    this.#slowest = 0;
    this.#answered = 0;
  }

  /** Ends the calls and returns the outcome. */
  fate(): Fate {
    this.#isOver = true;
    const { reason, at } = this.#down ?? {};
    return {
      reason,
      after: at === undefined ? undefined : (at - this.#since) / 1_000,
      slowest: this.#slowest / 1_000,
      answered: this.#answered,
    };
  }

  async #call(
    transport: Transport<typeof protocol>,
    remote: Remote,
    request: Uint8Array,
  ): Promise<void> {
    const made = this.#clock.now();
    try {
      await transport.send(remote, 'echo', request, { timeout: Number.POSITIVE_INFINITY });
      if (this.#isOver) return;
      this.#slowest = Math.max(this.#slowest, this.#clock.now() - made);
      this.#answered++;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
    }
  }
}

/** The time between calls, in milliseconds. */
const PAUSE = 100;

// Keeps a layer listening: after a failure, it listens again with a back-off of 5 ms, doubling up
// to 1 s.

import type { Clock, ClockTimer } from '../clock.ts';
import { TransportError } from '../errors.ts';
import type {
  HandshakeSlot,
  ListenOptions,
  StreamConnection,
  StreamLayer,
} from './stream-layer.ts';

/** Listens on a layer, and listens again after failures. */
export class Listener {
  readonly #layer: StreamLayer;
  readonly #clock: Clock;
  readonly #accept: (connection: StreamConnection, slot: HandshakeSlot | undefined) => void;
  readonly #broke: (error: TransportError, retryIn: number) => void;
  readonly #recovered: () => void;
  readonly #options: ListenOptions;
  #timer: ClockTimer = undefined;
  #waits = false;
  #delay = FIRST_DELAY;
  #stopped = false;
  #retired = false;

  constructor(
    layer: StreamLayer,
    clock: Clock,
    accept: (connection: StreamConnection, slot: HandshakeSlot | undefined) => void,
    broke: (error: TransportError, retryIn: number) => void,
    recovered: () => void,
    options: ListenOptions,
  ) {
    this.#layer = layer;
    this.#clock = clock;
    this.#accept = accept;
    this.#broke = broke;
    this.#recovered = recovered;
    this.#options = options;
  }

  /** Starts listening; rejects if that fails. Later failures are handled here. */
  async start(): Promise<void> {
    await this.#listen();
  }

  /**
   * Accepts no more connections; those that are in a handshake of the layer are still handed over.
   */
  retire(): void {
    if (this.#layer.stopListening === undefined) return void this.stop().catch(() => {});
    this.#retired = true;
    if (this.#waits) this.#clock.clearTimeout(this.#timer);
    this.#layer.stopListening();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#waits) this.#clock.clearTimeout(this.#timer);
    await this.#layer.close();
  }

  #listen(): Promise<void> {
    return this.#layer.listen(
      (connection, slot) => {
        this.#delay = FIRST_DELAY;
        if (!this.#stopped) return this.#accept(connection, slot);
        slot?.leave();
        connection.destroy();
      },
      (error) => this.#again(error),
      this.#options,
    );
  }

  #again(error: TransportError): void {
    if (this.#stopped || this.#retired || this.#waits) return;
    const delay = this.#delay;
    this.#delay = Math.min(delay * 2, LAST_DELAY);
    this.#waits = true;
    this.#broke(error, delay);
    if (this.#stopped) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#waits = false;
      this.#listen().then(
        () => {
          // Another part of the layer may have failed in the meantime.
          if (!this.#waits) this.#recovered();
        },
        (failure: unknown) => {
          this.#again(
            failure instanceof TransportError
              ? failure
              : new TransportError('unavailable', 'listening failed', { cause: failure }),
          );
        },
      );
    }, delay);
  }
}

/** The back-off in milliseconds, the same as that of hashicorp/raft for a failing accept. */
const FIRST_DELAY = 5;
const LAST_DELAY = 1_000;

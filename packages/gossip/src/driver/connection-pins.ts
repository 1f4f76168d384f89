// Keeps connections to neighbors on any topic open even if nobody uses them for a while.

import type { AnyTransport, Remote } from '@trunkline/transport-core';

interface ConnectionPin {
  topics: number;
  remote: Remote | undefined;
  release: () => void;
}

export class ConnectionPins {
  readonly #transport: AnyTransport;
  readonly #remoteOf: (nodeId: string) => Remote | undefined;
  readonly #pins = new Map<string, ConnectionPin>();
  #lookAt = Number.POSITIVE_INFINITY;

  constructor(transport: AnyTransport, remoteOf: (nodeId: string) => Remote | undefined) {
    this.#transport = transport;
    this.#remoteOf = remoteOf;
  }

  /** The node became a neighbor on one more topic, or on one less. */
  set(nodeId: string, isOne: boolean): void {
    const pin = this.#pins.get(nodeId) ?? { topics: 0, remote: undefined, release: NOTHING };
    pin.topics += isOne ? 1 : -1;
    if (pin.topics <= 0) {
      pin.release();
      this.#pins.delete(nodeId);
      return;
    }
    this.#pins.set(nodeId, pin);
    this.#take(nodeId, pin);
    this.#lookAt = Math.min(this.#lookAt, this.#transport.clock.now() + LOOK);
  }

  get due(): number {
    return this.#pins.size === 0 ? Number.POSITIVE_INFINITY : this.#lookAt;
  }

  /** Moves each pin to the connection of the peer that is in use now. */
  wake(now: number): void {
    if (now < this.due) return;
    this.#lookAt = now + LOOK;
    for (const [nodeId, pin] of this.#pins) this.#take(nodeId, pin);
  }

  close(): void {
    for (const { release } of this.#pins.values()) release();
    this.#pins.clear();
  }

  #take(nodeId: string, pin: ConnectionPin): void {
    const remote = this.#remoteOf(nodeId);
    if (remote === undefined || remote === pin.remote) return;
    pin.release();
    pin.remote = remote;
    pin.release = this.#transport.hold(remote);
  }
}

/** Milliseconds between two checks. */
const LOOK = 5_000;
const NOTHING = (): void => {};

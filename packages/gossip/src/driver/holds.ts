// Keeps connections to neighbors on any topic open even if nobody uses them for a while.

import type { AnyTransport, Remote } from '@trunkline/transport-core';

interface Hold {
  topics: number;
  remote: Remote | undefined;
  release: () => void;
}

export class Holds {
  readonly #transport: AnyTransport;
  readonly #remoteOf: (nodeId: string) => Remote | undefined;
  readonly #holds = new Map<string, Hold>();
  #lookAt = Number.POSITIVE_INFINITY;

  constructor(transport: AnyTransport, remoteOf: (nodeId: string) => Remote | undefined) {
    this.#transport = transport;
    this.#remoteOf = remoteOf;
  }

  /** The node became a neighbor on one more topic, or on one less. */
  set(nodeId: string, isOne: boolean): void {
    const hold = this.#holds.get(nodeId) ?? { topics: 0, remote: undefined, release: NOTHING };
    hold.topics += isOne ? 1 : -1;
    if (hold.topics <= 0) {
      hold.release();
      this.#holds.delete(nodeId);
      return;
    }
    this.#holds.set(nodeId, hold);
    this.#take(nodeId, hold);
    this.#lookAt = Math.min(this.#lookAt, this.#transport.clock.now() + LOOK);
  }

  get due(): number {
    return this.#holds.size === 0 ? Number.POSITIVE_INFINITY : this.#lookAt;
  }

  /** Moves each hold to the connection of the peer that is in use now. */
  wake(now: number): void {
    if (now < this.due) return;
    this.#lookAt = now + LOOK;
    for (const [nodeId, hold] of this.#holds) this.#take(nodeId, hold);
  }

  close(): void {
    for (const { release } of this.#holds.values()) release();
    this.#holds.clear();
  }

  #take(nodeId: string, hold: Hold): void {
    const remote = this.#remoteOf(nodeId);
    if (remote === undefined || remote === hold.remote) return;
    hold.release();
    hold.remote = remote;
    hold.release = this.#transport.hold(remote);
  }
}

/** Milliseconds between two checks. */
const LOOK = 5_000;
const NOTHING = (): void => {};

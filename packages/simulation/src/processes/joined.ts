// Joins an accepted connection with one that is still being dialed, byte for byte and with
// back-pressure, as a proxy does.

import type { StreamConnection } from '@trunkline/transport-core/backend';

/** Two connections that work as one. */
export class JoinedConnections {
  readonly #near: StreamConnection;
  readonly #ended: () => void;
  #far: StreamConnection | undefined;
  readonly #onward: Direction;
  #back: Direction | undefined;
  /** The ends that are still open. */
  #open = 1;

  /**
   * @param ended called when both connections have ended, or the first one before the second was
   * joined.
   */
  constructor(near: StreamConnection, ended: () => void) {
    this.#near = near;
    this.#ended = ended;
    this.#onward = new Direction(near);
    near.attach({
      frames() {},
      data: (chunk) => this.#onward.data(chunk),
      drained: () => this.#back?.drained(),
      closed: (error) => this.#closed(this.#onward, error !== undefined),
    });
  }

  /**
   * Joins the connection that was dialed, or destroys it if the first one has ended. Call it in the
   * turn in which the dial resolves, because it attaches to the connection.
   */
  join(far: StreamConnection): void {
    if (this.#open === 0) return far.destroy();
    this.#far = far;
    this.#open++;
    const back = (this.#back = new Direction(far));
    far.attach({
      frames() {},
      data: (chunk) => back.data(chunk),
      drained: () => this.#onward.drained(),
      closed: (error) => this.#closed(back, error !== undefined),
    });
    back.start(this.#near);
    this.#onward.start(far);
  }

  destroy(): void {
    this.#near.destroy();
    this.#far?.destroy();
  }

  #closed(direction: Direction, isReset: boolean): void {
    this.#open--;
    direction.closed(isReset);
    if (this.#open === 0) this.#ended();
  }
}

/** Passes on the data and events of one connection to the other. */
class Direction {
  readonly #from: StreamConnection;
  #to: StreamConnection | undefined;
  /**
   * Chunks that arrived while nothing could be written. They are few, because reading is paused in
   * that case.
   */
  readonly #waiting: Uint8Array[] = [];
  #isBlocked = true;
  #isEnded = false;

  constructor(from: StreamConnection) {
    this.#from = from;
  }

  /** Starts to write to this connection. */
  start(to: StreamConnection): void {
    this.#to = to;
    this.drained();
  }

  /** Takes a chunk, which the other connection may keep; so the result is always false. */
  data(chunk: Uint8Array): false {
    this.#waiting.push(chunk);
    this.#pump();
    if (this.#isBlocked) this.#from.pause();
    return false;
  }

  /** Called when the connection that is written to has room again. */
  drained(): void {
    this.#isBlocked = false;
    this.#pump();
    if (!this.#isBlocked) this.#from.resume();
  }

  closed(isReset: boolean): void {
    if (isReset) return this.#to?.destroy();
    this.#isEnded = true;
    this.#pump();
  }

  #pump(): void {
    while (!this.#isBlocked && this.#waiting.length > 0)
      this.#isBlocked = !this.#to!.write(this.#waiting.shift()!);
    if (this.#isEnded && this.#waiting.length === 0) this.#to?.close();
  }
}

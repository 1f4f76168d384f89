// Waits for turns of the microtask queue. A simulation waits for many turns after each event, and
// this costs less than as many bare awaits.

/** Waits for a number of turns, one wait at a time. */
export class MicrotaskTurns {
  #left = 0;
  #resolve: () => void = () => {};
  /** Keeps the function that resolves the next promise. */
  readonly #keep = (resolve: () => void): void => {
    this.#resolve = resolve;
  };
  readonly #turn = (): void => {
    if (--this.#left > 0) void SETTLED.then(this.#turn);
    else this.#resolve();
  };

  /** Waits for `count` turns (at least 2), exactly as long as that many `await undefined`. */
  wait(count: number): Promise<void> {
    // The code that awaits the promise takes the last turn itself.
    this.#left = count - 1;
    void SETTLED.then(this.#turn);
    return new Promise(this.#keep);
  }
}

const SETTLED = Promise.resolve();

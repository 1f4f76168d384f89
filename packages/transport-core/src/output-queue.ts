// The queue of a state machine's outputs.

/**
 * A queue from which a machine's `poll` takes its outputs. It reuses its slots, so queuing an
 * output allocates no memory. Its driver empties it after each input, so its length is bounded.
 */
export class OutputQueue<T> {
  readonly #places: (T | undefined)[] = [];
  #first = 0;
  #end = 0;

  add(output: T): void {
    this.#places[this.#end++] = output;
  }

  /** Removes and returns the oldest output; undefined if there is none. */
  poll(): T | undefined {
    if (this.#first === this.#end) return undefined;
    const output = this.#places[this.#first];
    this.#places[this.#first++] = undefined;
    if (this.#first === this.#end) this.#first = this.#end = 0;
    return output;
  }
}

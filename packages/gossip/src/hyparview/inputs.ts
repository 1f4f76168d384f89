// Processes one input at a time: inputs that the host makes during another input are processed
// after it. So recovery is a loop instead of a recursion, however many peers fail at once.

export class Inputs {
  readonly #waiting: (() => void)[] = [];
  readonly #taken: (now: number) => void;
  #isBusy = false;

  /** @param taken is called after each input */
  constructor(taken: (now: number) => void) {
    this.#taken = taken;
  }

  /** Processes an input now, or after the one that is being processed. */
  take(input: () => void, now: number): void {
    this.#waiting.push(input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        next();
        this.#taken(now);
      }
    } finally {
      this.#isBusy = false;
    }
  }
}

// One input after the other: what the host tells while an input is taken comes after it. So recovery is a loop, however many peers fail at once.

export class Inputs {
  readonly #waiting: (() => void)[] = [];
  readonly #taken: (now: number) => void;
  #isBusy = false;

  /** @param taken is called after each. */
  constructor(taken: (now: number) => void) {
    this.#taken = taken;
  }

  /** Takes it now, or after the one that is being taken. */
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

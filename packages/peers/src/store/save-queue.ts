// One save at a time, and of those that wait only the newest: the older ones are done when it is.

export class SaveQueue {
  readonly #write: (text: string) => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined = undefined;
  #newest = '';

  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
  }

  save(text: string): Promise<void> {
    this.#newest = text;
    return (this.#waiting ??= this.#next());
  }

  /** Resolves when none is under way, whatever became of them. */
  async idle(): Promise<void> {
    await (this.#waiting ?? this.#running).catch(() => {});
  }

  async #next(): Promise<void> {
    await this.#running.catch(() => {});
    this.#waiting = undefined;
    this.#running = this.#write(this.#newest);
    return this.#running;
  }
}

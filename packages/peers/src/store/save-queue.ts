// Runs one save at a time. If several wait, only the newest text is saved, and the older saves
// settle with it.

/** A queue of texts to save, of which only the newest is kept. */
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

  /** Resolves when no save is in progress, whether the saves succeeded or not. */
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

// The messages of a session that wait to be sent, as an async iterable; bounded.

/**
 * Maximum number of messages that may wait: more than a session needs for a description and its
 * candidates.
 */
const MOST_WAITING = 256;

/** A queue with one reader, which ends its loop after `end`. */
export class MessageQueue implements AsyncIterable<Uint8Array> {
  readonly #messages: Uint8Array[] = [];
  #isEnded = false;
  #wake: () => void = () => {};

  /**
   * Adds a message; returns false, without adding it, if the queue is full. After `end`, it drops
   * the message and returns true.
   */
  push(message: Uint8Array): boolean {
    if (this.#isEnded) return true;
    if (this.#messages.length >= MOST_WAITING) return false;
    this.#messages.push(message);
    this.#wake();
    return true;
  }

  /** Ends the reader's loop once it has read the messages that were added before. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

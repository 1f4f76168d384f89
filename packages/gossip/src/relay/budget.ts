// A limit for the number of messages at a time, and for their bytes.

/** Counts messages and their bytes against a limit. */
export class Budget {
  readonly #messages: number;
  readonly #bytes: number;
  messages = 0;
  bytes = 0;

  constructor(messages: number, bytes: number) {
    this.#messages = messages;
    this.#bytes = bytes;
  }

  /** Takes room for a message. Returns false if there is not enough. */
  take(bytes: number): boolean {
    if (this.messages >= this.#messages || this.bytes + bytes > this.#bytes) return false;
    this.messages++;
    this.bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.messages--;
    this.bytes -= bytes;
  }
}

// So many messages at once, and so many bytes of them.

export class Budget {
  readonly #messages: number;
  readonly #bytes: number;
  messages = 0;
  bytes = 0;

  constructor(messages: number, bytes: number) {
    this.#messages = messages;
    this.#bytes = bytes;
  }

  /** False: it is more than there is room for. */
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

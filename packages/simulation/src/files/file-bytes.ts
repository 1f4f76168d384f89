// The content of a file: bytes that grow and shrink.

/** A growable array of bytes. Bytes that were never written are zeros. */
export class FileBytes {
  #buffer = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns a copy of up to `length` bytes from `at` on. */
  read(at: number, length: number): Uint8Array {
    return this.#buffer.slice(Math.min(at, this.#size), Math.min(at + length, this.#size));
  }

  write(at: number, bytes: Uint8Array): void {
    if (at + bytes.length > this.#size) this.resize(at + bytes.length);
    this.#buffer.set(bytes, at);
  }

  resize(size: number): void {
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#buffer.length));
      grown.set(this.#buffer.subarray(0, this.#size));
      this.#buffer = grown;
    }
    if (size < this.#size) this.#buffer.fill(0, size, this.#size);
    this.#size = size;
  }

  /** Takes over the content of another file. */
  copy(other: FileBytes): void {
    this.#buffer = other.#buffer.slice(0, other.#size);
    this.#size = other.#size;
  }

  /** Returns the byte at a position, or undefined beyond the end. */
  at(position: number): number | undefined {
    return position < this.#size ? this.#buffer[position] : undefined;
  }
}

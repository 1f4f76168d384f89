// A sink that keeps what it was told, and lets a case wait for more of it.

import type { StreamConnection, StreamSink, TransportError } from '@trunkline/transport-core';

export class Recorder implements StreamSink {
  readonly connection: StreamConnection;
  readonly copies: boolean;
  readonly chunks: Uint8Array[] = [];
  /** Bytes that came. */
  size = 0;
  drains = 0;
  /** How often `closed` was reported, and with what the first time. */
  ends = 0;
  error: TransportError | undefined;
  /** What was reported after `closed`: nothing, in a layer that keeps its word. */
  late = 0;
  /** Runs inside `data`, which returns what this does: true where the reader is done with the chunk. */
  onData: ((chunk: Uint8Array) => boolean | void) | undefined;
  readonly #waiters = new Set<() => void>();

  /** @param copies it keeps copies of its chunks, and says so to the connection. */
  constructor(connection: StreamConnection, copies = false) {
    this.connection = connection;
    this.copies = copies;
    connection.attach(this);
  }

  data(chunk: Uint8Array): boolean {
    this.late += this.ends;
    this.chunks.push(this.copies ? new Uint8Array(chunk) : chunk);
    this.size += chunk.length;
    const isDone = this.onData?.(chunk) ?? false;
    this.#wake();
    return isDone;
  }

  frames(): void {
    throw new Error('This layer carries bytes');
  }

  drained(): void {
    this.late += this.ends;
    this.drains++;
    this.#wake();
  }

  closed(error?: TransportError): void {
    this.ends++;
    this.error ??= error;
    this.#wake();
  }

  /** Resolves as soon as `true` comes out; it is asked now and after each report. Rejects if the connection ends first. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!holds() && this.ends === 0) return;
        this.#waiters.delete(check);
        if (holds()) resolve();
        else reject(new Error(`The connection ended (${this.error?.message ?? 'in order'}) after ${this.size} bytes`));
      };
      this.#waiters.add(check);
      check();
    });
  }

  /** Resolves when `closed` was reported. */
  ended(): Promise<void> {
    return this.until(() => this.ends > 0);
  }

  /** All that came, in one piece. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** Writes as the port asks: after a false it waits for `drained`. Resolves when all was taken. */
  async write(...chunks: Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      const before = this.drains;
      if (!this.connection.write(chunk)) await this.until(() => this.drains > before);
    }
  }

  /** The same in one go, where the layer has that; else one by one. */
  async writeAll(chunks: Uint8Array[]): Promise<void> {
    const before = this.drains;
    if (this.connection.writeAll === undefined) return this.write(...chunks);
    if (!this.connection.writeAll(chunks)) await this.until(() => this.drains > before);
  }

  #wake(): void {
    for (const check of [...this.#waiters]) check();
  }
}

/** Bytes that tell their place: the same for the same seed, unlike their neighbours. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Compared by hand: a diff of megabytes helps nobody. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

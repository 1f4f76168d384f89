// A sink that records all reports, and lets a case wait for more of them.

import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamSink } from '@trunkline/transport-core/backend';

export class Recorder implements StreamSink {
  readonly connection: StreamConnection;
  readonly copies: boolean;
  readonly chunks: Uint8Array[] = [];
  /** The number of received bytes. */
  size = 0;
  drains = 0;
  /** The number of reports of `closed`, and the first error that one of them had. */
  ends = 0;
  error: TransportError | undefined;
  /** Above 0 if `data` or `drained` was reported after `closed`, an error of the layer. */
  late = 0;
  /** Called by `data`, which returns its result: true if the reader no longer needs the chunk. */
  onData: ((chunk: Uint8Array) => boolean | void) | undefined;
  /** The callers that wait, and the event that each waits for. */
  readonly #waiters = new Map<() => void, string>();

  /** @param copies true if the recorder copies its chunks, and reports that to the connection. */
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

  /**
   * Resolves as soon as `holds` returns true; `holds` is called now and after each report. Rejects
   * if the connection ends first. `what` names the event for the error of a case that hangs.
   */
  until(holds: () => boolean, what = `a report after which ${holds}`): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!holds() && this.ends === 0) return;
        this.#waiters.delete(check);
        if (holds()) resolve();
        else
          reject(
            new Error(
              `The connection ended (${this.error?.message ?? 'in order'}) after ${this.size} bytes`,
            ),
          );
      };
      this.#waiters.set(check, what);
      check();
    });
  }

  /** Resolves when `closed` has been reported. */
  ended(): Promise<void> {
    return this.until(() => this.ends > 0, 'the end of the connection');
  }

  /** Describes the events that callers now wait for. */
  waits(): string[] {
    return [...this.#waiters.values()];
  }

  /** Returns all received bytes in one array. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /**
   * Writes as the interface requires: waits for `drained` after each result of false. Resolves when
   * everything has been taken, and rejects if the connection ends during a wait.
   */
  async write(...chunks: Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      const before = this.drains;
      if (!this.connection.write(chunk)) await this.until(() => this.drains > before, "'drained'");
    }
  }

  /** Writes all chunks with one call if the layer supports it, otherwise one by one. */
  async writeAll(chunks: Uint8Array[]): Promise<void> {
    const before = this.drains;
    if (this.connection.writeAll === undefined) return this.write(...chunks);
    if (!this.connection.writeAll(chunks))
      await this.until(() => this.drains > before, "'drained'");
  }

  #wake(): void {
    for (const check of [...this.#waiters.keys()]) check();
  }
}

// An open file as `open` of `node:fs/promises` returns it.

import { EventEmitter } from 'node:events';
import type { Promises } from './calls.ts';

/** Opens streams on a file; see `createReadStream` and `createWriteStream` of `node:fs`. */
export interface StreamFactory {
  createReadStream(path: unknown, options?: unknown): unknown;
  createWriteStream(path: unknown, options?: unknown): unknown;
}

/** An open file. It emits 'close' when it has been closed. */
export class FileHandle extends EventEmitter {
  readonly #calls: Promises;
  readonly #streams: StreamFactory;
  #fd: number;

  constructor(calls: Promises, streams: StreamFactory, fd: number) {
    super();
    this.#calls = calls;
    this.#streams = streams;
    this.#fd = fd;
  }

  /** The number of the open file; -1 once it is closed. */
  get fd(): number {
    return this.#fd;
  }

  read(...args: unknown[]): Promise<unknown> {
    // Without a buffer, Node creates one of 16 KiB.
    const [first, ...rest] = args;
    if (ArrayBuffer.isView(first)) return this.#calls.read(this.#fd, first, ...rest);
    const options = { buffer: Buffer.alloc(16_384), ...(first as object | undefined) };
    return this.#calls.read(this.#fd, options);
  }

  write(...args: unknown[]): Promise<unknown> {
    return this.#calls.write(this.#fd, ...args);
  }

  readv(...args: unknown[]): Promise<unknown> {
    return this.#calls.readv(this.#fd, ...args);
  }

  writev(...args: unknown[]): Promise<unknown> {
    return this.#calls.writev(this.#fd, ...args);
  }

  readFile(options?: unknown): Promise<unknown> {
    return this.#calls.readFile(this.#fd, options);
  }

  writeFile(data: unknown, options?: unknown): Promise<unknown> {
    return this.#calls.writeFile(this.#fd, data, options);
  }

  appendFile(data: unknown, options?: unknown): Promise<unknown> {
    return this.#calls.appendFile(this.#fd, data, options);
  }

  stat(options?: unknown): Promise<unknown> {
    return this.#calls.fstat(this.#fd, options);
  }

  sync(): Promise<unknown> {
    return this.#calls.fsync(this.#fd);
  }

  datasync(): Promise<unknown> {
    return this.#calls.fdatasync(this.#fd);
  }

  truncate(size?: number): Promise<unknown> {
    return this.#calls.ftruncate(this.#fd, size);
  }

  utimes(accessed: unknown, modified: unknown): Promise<unknown> {
    return this.#calls.futimes(this.#fd, accessed, modified);
  }

  chmod(mode: unknown): Promise<unknown> {
    return this.#calls.fchmod(this.#fd, mode);
  }

  chown(uid: unknown, gid: unknown): Promise<unknown> {
    return this.#calls.fchown(this.#fd, uid, gid);
  }

  createReadStream(options?: object): unknown {
    return this.#streams.createReadStream(undefined, { ...options, fd: this });
  }

  createWriteStream(options?: object): unknown {
    return this.#streams.createWriteStream(undefined, { ...options, fd: this });
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    if (fd < 0) return;
    this.#fd = -1;
    await this.#calls.close(fd);
    this.emit('close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

// The streams of `node:fs` on a simulated file system.

import { Readable, Writable } from 'node:stream';
import type { NodeFiles } from '../../files/node-files.ts';
import { optionsOf, pathOf, targetOf } from './arguments.ts';
import type { Calls } from './calls.ts';

/** The file system that a stream works with. */
export interface StreamFiles {
  readonly files: NodeFiles;
  readonly calls: Calls;
}

type Done = (error?: Error | null) => void;

/** A stream that reads a file, as `fs.ReadStream`. */
export class ReadStream extends Readable {
  readonly path: string | undefined;
  bytesRead = 0;
  readonly #file: StreamFile;
  readonly #end: number;
  #position: number | undefined;

  constructor(files: StreamFiles, path: unknown, given: unknown) {
    const { highWaterMark = 65_536, encoding, ...options } = optionsOf(given);
    super({ highWaterMark, encoding, autoDestroy: options['autoClose'] ?? true });
    this.#file = new StreamFile(this, files, path, { flags: 'r', ...options });
    this.path = this.#file.path;
    this.#position = options['start'];
    this.#end = (options['end'] ?? Number.POSITIVE_INFINITY) - (options['start'] ?? 0) + 1;
  }

  get fd(): number | null {
    return this.#file.fd ?? null;
  }

  close(done?: Done): void {
    closeStream(this, done);
  }

  override _construct(done: Done): void {
    this.#file.open(done);
  }

  override _read(size: number): void {
    const length = Math.min(size, this.#end - this.bytesRead);
    if (length <= 0) return void this.push(null);
    const buffer = Buffer.alloc(length);
    const { files, calls } = this.#file.source;
    files.perform(calls.read(this.fd!, buffer, 0, length, this.#position)).then(
      ({ bytes }) => {
        this.bytesRead += bytes;
        if (this.#position !== undefined) this.#position += bytes;
        this.push(bytes === 0 ? null : buffer.subarray(0, bytes));
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#file.close(error, done);
  }
}

/** A stream that writes a file, as `fs.WriteStream`. */
export class WriteStream extends Writable {
  readonly path: string | undefined;
  bytesWritten = 0;
  readonly #file: StreamFile;
  readonly #flush: boolean;
  #position: number | undefined;

  constructor(files: StreamFiles, path: unknown, given: unknown) {
    const { highWaterMark = 16_384, encoding, ...options } = optionsOf(given);
    super({
      highWaterMark,
      defaultEncoding: encoding,
      decodeStrings: true,
      autoDestroy: options['autoClose'] ?? true,
    });
    this.#file = new StreamFile(this, files, path, { flags: 'w', ...options });
    this.path = this.#file.path;
    this.#flush = options['flush'] ?? false;
    this.#position = options['start'];
  }

  get fd(): number | null {
    return this.#file.fd ?? null;
  }

  /** Ends the stream, and closes the file. */
  close(done?: Done): void {
    if (!this.writableEnded) {
      if (done !== undefined) this.once('close', done);
      this.end();
    } else closeStream(this, done);
  }

  override _construct(done: Done): void {
    this.#file.open(done);
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    const { files, calls } = this.#file.source;
    files
      .perform(calls.write(this.fd!, chunk, 0, chunk.length, this.#position))
      .then(({ bytes }) => {
        this.bytesWritten += bytes;
        if (this.#position !== undefined) this.#position += bytes;
        done();
      }, done);
  }

  override _final(done: Done): void {
    const { files, calls } = this.#file.source;
    if (!this.#flush) return done();
    files.perform(calls.fsync(this.fd!)).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#file.close(error, done);
  }
}

/** The file of a stream, which opens and closes it unless the stream was given an open file. */
class StreamFile {
  readonly source: StreamFiles;
  readonly path: string | undefined;
  fd: number | undefined;
  readonly #stream: Readable | Writable;
  readonly #flags: unknown;
  readonly #closes: boolean;

  constructor(
    stream: Readable | Writable,
    source: StreamFiles,
    path: unknown,
    options: Readonly<Record<string, any>>,
  ) {
    const { fd, flags, autoClose = true } = options;
    this.source = source;
    this.#stream = stream;
    this.#flags = flags;
    this.#closes = autoClose;
    if (fd !== undefined && fd !== null) this.fd = targetOf(fd) as number;
    this.path = path === undefined || path === null ? undefined : pathOf(path);
    // Streams of Node continue in ticks of Node.
    source.files.useTicks();
  }

  open(done: Done): void {
    if (this.fd !== undefined) return done();
    const { files, calls } = this.source;
    files.perform(calls.open(this.path, this.#flags)).then((fd) => {
      this.fd = fd;
      done();
      this.#stream.emit('open', fd);
      this.#stream.emit('ready');
    }, done);
  }

  close(error: Error | null, done: Done): void {
    const { fd } = this;
    if (fd === undefined || !this.#closes) return done(error);
    this.fd = undefined;
    const { files, calls } = this.source;
    files.perform(calls.close(fd)).then(
      () => done(error),
      (failed: Error) => done(error ?? failed),
    );
  }
}

function closeStream(stream: Readable | Writable, done: Done | undefined): void {
  if (stream.closed) return done?.();
  if (done !== undefined) stream.once('close', done);
  stream.destroy();
}

// The streams of `node:fs` on a simulated file system.

import { Readable, Writable } from 'node:stream';
import type { NodeFiles } from '../../files/node-files.ts';
import { optionsOf, pathOf, targetOf } from './arguments.ts';
import type { Calls } from './calls.ts';
import { FileHandle } from './file-handle.ts';

/** The file system that a stream works with. */
export interface StreamFiles {
  readonly files: NodeFiles;
  readonly calls: Calls;
}

type Done = (error?: Error | null) => void;

type Options = Readonly<Record<string, any>>;

/** The class `ReadStream` or `WriteStream` of a file system. */
export type StreamClass<S> = { new (path?: unknown, options?: unknown): S; readonly prototype: S };

/** Creates the classes `ReadStream` and `WriteStream` of a file system. */
export function streamClasses(files: StreamFiles): {
  readonly ReadStream: StreamClass<ReadStream>;
  readonly WriteStream: StreamClass<WriteStream>;
} {
  return {
    ReadStream: callable(ReadStream, (stream, path, options) => stream.begin(files, path, options)),
    WriteStream: callable(WriteStream, (stream, path, options) =>
      stream.begin(files, path, options),
    ),
  };
}

/**
 * Returns a class that can also be called, with or without an object of a class that is derived
 * from it: packages that were written before ES classes do that.
 */
function callable<S extends object>(
  { prototype }: { readonly prototype: S },
  begin: (stream: S, path: unknown, options: unknown) => void,
): StreamClass<S> {
  function Stream(this: unknown, path: unknown, options: unknown): unknown {
    const stream = this instanceof Stream ? (this as S) : (Object.create(prototype) as S);
    begin(stream, path, options);
    return stream;
  }
  Stream.prototype = prototype;
  return Stream as never;
}

/** A stream that reads a file, as `fs.ReadStream`. `begin` makes it. */
class ReadStream extends Readable {
  declare path: string | undefined;
  declare bytesRead: number;
  declare flags: unknown;
  declare mode: unknown;
  declare autoClose: boolean;
  /** @internal */
  declare file: StreamFile;
  /** @internal The place of the next byte to read; undefined for that of the open file. */
  declare at: number | undefined;
  /** @internal */
  declare most: number;

  begin(files: StreamFiles, path: unknown, given: unknown): void {
    const { highWaterMark = 65_536, encoding, ...options } = optionsOf(given) as Options;
    const { start, end = Number.POSITIVE_INFINITY, autoClose = true, mode = 0o666 } = options;
    (Readable as unknown as () => void).call(
      Object.assign(this, { bytesRead: 0, at: start, most: end - (start ?? 0) + 1, mode }),
      ...([{ highWaterMark, encoding, autoDestroy: autoClose }] as unknown as []),
    );
    this.file = new StreamFile(this, files, path, { flags: 'r', ...options });
  }

  get fd(): number | null {
    return this.file.fd ?? null;
  }

  set fd(fd: number | null) {
    this.file.fd = fd ?? undefined;
  }

  close(done?: Done): void {
    closeStream(this, done);
  }

  /** Packages replace it to open the file themselves. */
  open(): void {}

  override _construct(done: Done): void {
    construct(this, ReadStream.prototype.open, done);
  }

  override _read(size: number): void {
    const length = Math.min(size, this.most - this.bytesRead);
    if (length <= 0) return void this.push(null);
    const buffer = Buffer.alloc(length);
    const { files, calls } = this.file.source;
    files.perform(calls.read(this.fd!, buffer, 0, length, this.at)).then(
      ({ bytes }) => {
        this.bytesRead += bytes;
        if (this.at !== undefined) this.at += bytes;
        this.push(bytes === 0 ? null : buffer.subarray(0, bytes));
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, done: Done): void {
    this.file.close(error, done);
  }
}

/** A stream that writes a file, as `fs.WriteStream`. `begin` makes it. */
class WriteStream extends Writable {
  declare path: string | undefined;
  declare bytesWritten: number;
  declare flags: unknown;
  declare mode: unknown;
  declare autoClose: boolean;
  /** @internal */
  declare file: StreamFile;
  /** @internal The place of the next byte to write; undefined for that of the open file. */
  declare at: number | undefined;
  /** @internal */
  declare flush: boolean;

  begin(files: StreamFiles, path: unknown, given: unknown): void {
    const { highWaterMark = 16_384, encoding, ...options } = optionsOf(given) as Options;
    const { start, flush = false, autoClose = true, mode = 0o666 } = options;
    (Writable as unknown as () => void).call(
      Object.assign(this, { bytesWritten: 0, at: start, flush, mode }),
      ...([
        { highWaterMark, defaultEncoding: encoding, decodeStrings: true, autoDestroy: autoClose },
      ] as unknown as []),
    );
    this.file = new StreamFile(this, files, path, { flags: 'w', ...options });
  }

  get fd(): number | null {
    return this.file.fd ?? null;
  }

  set fd(fd: number | null) {
    this.file.fd = fd ?? undefined;
  }

  /** Ends the stream, and closes the file. */
  close(done?: Done): void {
    if (this.closed) return done?.();
    if (done !== undefined) this.once('close', done);
    // Without `autoClose`, the stream does not destroy itself when it has written everything.
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
    this.end();
  }

  /** Packages replace it to open the file themselves. */
  open(): void {}

  override _construct(done: Done): void {
    construct(this, WriteStream.prototype.open, done);
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    const { files, calls } = this.file.source;
    files.perform(calls.write(this.fd!, chunk, 0, chunk.length, this.at)).then(({ bytes }) => {
      this.bytesWritten += bytes;
      if (this.at !== undefined) this.at += bytes;
      done();
    }, done);
  }

  override _final(done: Done): void {
    const { files, calls } = this.file.source;
    if (!this.flush) return done();
    files.perform(calls.fsync(this.fd!)).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.file.close(error, done);
  }
}

/** Opens the file of a stream, or lets a package do so that has replaced `open`. */
function construct(stream: ReadStream | WriteStream, open: () => void, done: Done): void {
  if (stream.open === open) return stream.file.open(done);
  stream.once('open', () => done());
  stream.open();
}

/**
 * The file of a stream, which opens it unless it was given an open file, and closes it unless
 * `autoClose` is false.
 */
class StreamFile {
  readonly source: StreamFiles;
  readonly path: string | undefined;
  fd: number | undefined;
  readonly #stream: ReadStream | WriteStream;
  readonly #flags: unknown;
  readonly #closes: boolean;
  /** The handle that the stream was given, which must know that it is closed. */
  readonly #handle: FileHandle | undefined;

  constructor(
    stream: ReadStream | WriteStream,
    source: StreamFiles,
    path: unknown,
    options: Options,
  ) {
    const { fd, flags, autoClose = true } = options;
    this.source = source;
    this.#stream = stream;
    this.#flags = flags;
    this.#closes = autoClose;
    if (fd !== undefined && fd !== null) this.fd = targetOf(fd) as number;
    if (fd instanceof FileHandle) this.#handle = fd;
    this.path = path === undefined || path === null ? undefined : pathOf(path);
    Object.assign(stream, { path: this.path, flags, autoClose });
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
    (this.#handle?.close() ?? files.perform(calls.close(fd))).then(
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

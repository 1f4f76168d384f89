// Implements a store in a folder, one file for each key. Each value is written completely before
// its file gets its name. Keys are converted to file names that are readable, and distinct on file
// systems that ignore case.

import { join } from 'node:path';
import { type Store, TransportError } from '@trunkline/transport-core';
import {
  type FileDisk,
  fileError,
  ignoreMissing,
  systemErrorCode,
} from '@trunkline/transport-core/node';
import { FileLock, type Processes } from './file-lock.ts';

/** A store in files. */
export interface FileStore extends Store, AsyncDisposable {
  /**
   * Resolves when all values are written and another process may use the folder. Later operations
   * reject with `shutdown`. Idempotent.
   */
  close(): Promise<void>;
}

/** A pending change of one file. If `bytes` is undefined, the file is deleted. */
interface Change {
  bytes: Uint8Array | undefined;
  done: Promise<void>;
}

/** The implementation of {@link FileStore}. */
export class FileEntries implements FileStore {
  readonly #folder: string;
  readonly #disk: FileDisk;
  readonly #lock: FileLock;
  /** Waiting changes, by file. If a file has several, only the newest is made. */
  readonly #waiting = new Map<string, Change>();
  /** The change in progress. */
  #running: readonly [file: string, change: Change] | undefined = undefined;
  /** Settles when the last change so far has been made; changes run one at a time. */
  #last: Promise<void> = Promise.resolve();
  #opening: Promise<void> | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(folder: string, disk: FileDisk, processes: Processes) {
    this.#folder = folder;
    this.#disk = disk;
    this.#lock = new FileLock(join(folder, '.lock'), disk, processes, KIND);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const file = this.#fileOf(key);
    await this.#open();
    const change =
      this.#waiting.get(file) ?? (this.#running?.[0] === file ? this.#running[1] : undefined);
    if (change !== undefined) return change.bytes?.slice();
    const path = join(this.#folder, file);
    try {
      return await this.#disk.read(path, (size) => {
        if (size > LARGEST) throw tooLarge(path, size, 'data_loss');
      });
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw fileError(error, KIND, path);
    }
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    const file = this.#fileOf(key);
    if (value.length > LARGEST)
      throw tooLarge(join(this.#folder, file), value.length, 'resource_exhausted');
    return this.#change(file, new Uint8Array(value)); // `slice` of a Buffer returns a view.
  }

  async delete(key: string): Promise<void> {
    return this.#change(this.#fileOf(key), undefined);
  }

  async keys(): Promise<string[]> {
    this.#checkOpen();
    await this.#open();
    let names: Set<string>;
    try {
      names = new Set(await this.#disk.list(this.#folder));
    } catch (error) {
      throw fileError(error, KIND, this.#folder);
    }
    for (const [file, { bytes }] of [
      ...(this.#running === undefined ? [] : [this.#running]),
      ...this.#waiting,
    ]) {
      if (bytes === undefined) names.delete(file);
      else names.add(file);
    }
    return [...names].map(keyOfFile).filter((key) => key !== undefined);
  }

  async sync(): Promise<void> {
    this.#checkOpen();
    const changes = [
      ...this.#waiting.values(),
      ...(this.#running === undefined ? [] : [this.#running[1]]),
    ];
    await this.#open();
    await Promise.all(changes.map(({ done }) => done));
    try {
      await this.#disk.syncFolderOf(join(this.#folder, '.lock'));
    } catch (error) {
      throw fileError(error, KIND, this.#folder);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => {});
    while (this.#running !== undefined || this.#waiting.size > 0) await this.#last;
    try {
      await this.#lock.release();
    } catch (error) {
      throw fileError(error, KIND, this.#folder);
    }
  }

  #fileOf(key: string): string {
    this.#checkOpen();
    if (typeof key !== 'string' || LONE.test(key))
      throw new TypeError(`${KIND}: key: must be a well-formed string, got ${typeof key}`);
    const file = fileOfKey(key);
    if (file.length <= LONGEST) return file;
    throw new TransportError(
      'invalid_argument',
      `${KIND}: ${this.#folder}: a key takes ${file.length} bytes as a file name, above the limit of ${LONGEST}`,
    );
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw new TransportError('shutdown', `${KIND}: ${this.#folder}: it was closed`);
  }

  /** Locks the folder. After a failure, the next operation tries again. */
  #open(): Promise<void> {
    this.#opening ??= this.#take().catch((error) => {
      this.#opening = undefined;
      throw fileError(error, KIND, this.#folder);
    });
    return this.#opening;
  }

  async #take(): Promise<void> {
    await this.#disk.makeFolder(this.#folder);
    await this.#lock.hold();
    for (const name of await this.#disk.list(this.#folder)) {
      if (name.endsWith(UNFINISHED))
        await this.#disk.unlink(join(this.#folder, name)).catch(ignoreMissing);
    }
  }

  #change(file: string, bytes: Uint8Array | undefined): Promise<void> {
    const known = this.#waiting.get(file);
    if (known !== undefined) {
      known.bytes = bytes;
      return known.done;
    }
    const change: Change = { bytes, done: this.#last };
    change.done = this.#apply(file, change, this.#last);
    this.#waiting.set(file, change);
    this.#last = change.done.catch(() => {});
    return change.done;
  }

  async #apply(file: string, change: Change, before: Promise<void>): Promise<void> {
    await before;
    try {
      await this.#open();
    } finally {
      this.#waiting.delete(file);
    }
    this.#running = [file, change];
    try {
      await this.#make(join(this.#folder, file), change.bytes);
    } finally {
      this.#running = undefined;
    }
  }

  /** Makes one change. A failure leaves the previous content intact. */
  async #make(path: string, bytes: Uint8Array | undefined): Promise<void> {
    const temporary = path + UNFINISHED;
    try {
      await this.#lock.hold();
      if (bytes === undefined) return await this.#disk.unlink(path).catch(ignoreMissing);
      await this.#disk.unlink(temporary).catch(ignoreMissing);
      await this.#disk.write(temporary, bytes);
      await this.#disk.rename(temporary, path);
    } catch (error) {
      await this.#disk.unlink(temporary).catch(() => {});
      throw fileError(error, KIND, path);
    }
  }
}

/**
 * Returns the file name of a key. Lower-case letters, digits, '-', '_' and '.' stay as they are;
 * every other byte becomes '%' and two hex digits, and so does a leading '.'.
 */
function fileOfKey(key: string): string {
  if (key === '') return EMPTY;
  let name = '';
  for (const byte of new TextEncoder().encode(key)) {
    const sign = String.fromCharCode(byte);
    name +=
      /[a-z0-9_-]/.test(sign) || (sign === '.' && name !== '')
        ? sign
        : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return name;
}

/** Returns the key of a file name, or undefined if it is not the name of a key's file. */
function keyOfFile(name: string): string | undefined {
  if (name === EMPTY) return '';
  try {
    const key = decodeURIComponent(name);
    return fileOfKey(key) === name ? key : undefined;
  } catch {
    return undefined;
  }
}

function tooLarge(
  path: string,
  size: number,
  code: 'data_loss' | 'resource_exhausted',
): TransportError {
  return new TransportError(
    code,
    `${KIND}: ${path}: it has ${size} bytes, but a value may have at most ${LARGEST}`,
    { target: path },
  );
}

const KIND = 'store';
/** The file name of the empty key. */
const EMPTY = '%';
/** Maximum size of a value in bytes: 64 MiB. */
const LARGEST = 67_108_864;
/**
 * Maximum length of a file's name in bytes: most file systems allow 255, and a temporary name is
 * one byte longer.
 */
const LONGEST = 200;
/** The suffix of temporary files; no file name of a key contains it. */
const UNFINISHED = '~';
const LONE = /\p{Surrogate}/u;

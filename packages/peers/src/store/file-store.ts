// Stores in files, for Node: one file for each key. Each value is written completely before its
// file gets its name. The keys of a folder are converted to file names that are readable, and
// distinct on file systems that ignore case. Tested in file-store.test.ts and
// file-address-book.test.ts.

import { basename, dirname, join, resolve } from 'node:path';
import { type Store, TransportError } from '@trunkline/transport-core';
import { type FileDisk, fileDisk, fileError, ignoreMissing } from '@trunkline/transport-core/node';
import { type AddressBookStore, StoredBook } from './address-book-store.ts';
import { FileLock, type Processes, processes } from './file-lock.ts';

/** A store in files. */
export interface FileStore extends Store, AsyncDisposable {
  /**
   * Resolves when all values are written and another process may use the folder. Later operations
   * reject with `shutdown`. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Returns a store that keeps each key in a separate file of mode 0600. The folder is created if it
 * is missing; its parent folders are not. A value is always complete or absent, even if the process
 * or the machine stops. `set` resolves when the new value has replaced the old one. Until `sync`
 * has resolved, a crash of the machine may undo the change.
 *
 * Only one store at a time can use the folder. The first operation locks the folder. It rejects
 * with `failed_precondition`, naming the process, if another process holds the lock. The lock of a
 * process that is gone is taken over, and usually that of a process on another machine or in
 * another pid namespace (container) is, too: see `FileLock`. Operations reject with these codes:
 * - `not_found`: the parent folder is missing.
 * - `permission_denied`: the file system does not allow it.
 * - `resource_exhausted`: the disk is full, too many files are open, or the value exceeds 64 MiB.
 * - `invalid_argument`: the key takes more than 200 bytes (each byte of a capital or of another
 *   escaped character counts as three), or the path can never be a folder.
 * - `data_loss`: the disk failed, or a file that is read exceeds 64 MiB.
 * - `unavailable`, `already_exists`, `unknown`: other errors of the system; see `fileError`.
 * - `shutdown`: the store was closed.
 *
 * A key with a lone surrogate causes a TypeError.
 *
 * After a failure the previous content is intact, and the operation can be retried. Throws a
 * TypeError if `folder` is not a valid path.
 */
export function createFileStore(folder: string): FileStore {
  const path = absolute(folder, 'createFileStore: folder: must be the path of a folder');
  return new FileEntries(folderLayout(path), fileDisk, processes);
}

/**
 * Creates an address book store in a file of mode 0600. The file is always complete or absent, even
 * if the process or the machine stops during a save. Its folder must exist. The store also creates
 * these files beside it:
 * - `path.old`: the last text but one, which is loaded if the file is broken.
 * - `path.broken` and `path.old.broken`: files that could not be read.
 * - `path.lock`: keeps other processes out. For them, `load` rejects with `failed_precondition` and
 *   names the path and the pid of the holder. A lock file whose process is gone is replaced, and
 *   usually one from another machine or pid namespace (container) is, too: see `FileLock`. If two
 *   processes replace it in the same instant, both load, and one of them can't save.
 * - `path.tmp~` and `path.old.tmp~`: exist during a save.
 * - `path.lock.….tmp`: exists while a process takes the lock.
 *
 * `load` also rejects with `not_found` if the folder is missing, and with `invalid_argument` if the
 * path can never be a file. Files above 16 MiB are not read. Throws a TypeError if `path` is not a
 * valid path.
 */
export function createFileAddressBook(path: string): AddressBookStore {
  const file = absolute(path, 'createFileAddressBook: path: must be the path of a file');
  return addressBookAt(file, fileDisk, processes);
}

/** Returns the absolute path. Throws a TypeError if it is none; `problem` begins its text. */
function absolute(path: unknown, problem: string): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return resolve(path);
  throw new TypeError(
    `${problem}, got ${typeof path === 'string' ? JSON.stringify(path) : typeof path}`,
  );
}

/** Returns an address book in a file store with one key, its path. */
export function addressBookAt(
  path: string,
  disk: FileDisk,
  processes: Processes,
): AddressBookStore {
  const place = () => {
    const files = new FileEntries(bookLayout(path), disk, processes);
    return { store: files, files };
  };
  return new StoredBook(place, path);
}

/** The files of a store. */
interface FileLayout {
  /** The kind of thing that the files hold, for error messages. */
  readonly kind: string;
  readonly folder: string;
  /** True if the folder is created if it is missing. */
  readonly makesFolder: boolean;
  /** The path of the file that locks the store. */
  readonly lock: string;
  /** True if values can be read even if the file system allows no lock. */
  readonly readsUnlocked: boolean;
  /** Maximum size of a value in bytes. */
  readonly largest: number;
  /** Returns the path of a key's file. */
  pathOf(key: string): string;
  /** Returns the key of a file in the folder, given by its name; undefined if it has none. */
  keyOf(name: string): string | undefined;
}

/** Returns the layout of a folder with a file for each key. */
export function folderLayout(folder: string): FileLayout {
  return {
    kind: STORE,
    folder,
    makesFolder: true,
    lock: join(folder, '.lock'),
    readsUnlocked: false,
    largest: 67_108_864, // 64 MiB
    pathOf(key) {
      if (typeof key !== 'string' || LONE.test(key))
        throw new TypeError(`${STORE}: key: must be a well-formed string, got ${typeof key}`);
      const file = fileOfKey(key);
      if (file.length <= LONGEST) return join(folder, file);
      throw new TransportError(
        'invalid_argument',
        `${STORE}: ${folder}: a key takes ${file.length} bytes as a file name, above the limit of ${LONGEST}`,
      );
    },
    keyOf: keyOfFile,
  };
}

/** Returns the layout of an address book: its keys are paths, and it has two generations. */
function bookLayout(path: string): FileLayout {
  return {
    kind: 'address book',
    folder: dirname(path),
    makesFolder: false,
    lock: `${path}.lock`,
    readsUnlocked: true,
    largest: 16_777_216, // 16 MiB, several times a full book
    pathOf: (key) => key,
    keyOf: (name) => [path, `${path}.old`].find((key) => basename(key) === name),
  };
}

/** A pending change of one file. If `bytes` is undefined, the file is deleted. */
interface Change {
  bytes: Uint8Array | undefined;
  done: Promise<void>;
  isRunning: boolean;
}

/** The implementation of {@link FileStore}. */
export class FileEntries implements FileStore {
  readonly #layout: FileLayout;
  readonly #disk: FileDisk;
  readonly #lock: FileLock;
  /** The newest change of each path that is not made yet. While it waits, it takes newer bytes. */
  readonly #pending = new Map<string, Change>();
  /** Settles when the last change so far has been made; changes run one at a time. */
  #last: Promise<void> = Promise.resolve();
  #opening: Promise<void> | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(layout: FileLayout, disk: FileDisk, processes: Processes) {
    this.#layout = layout;
    this.#disk = disk;
    this.#lock = new FileLock(layout.lock, disk, processes, layout.kind);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(key);
    if (!this.#layout.readsUnlocked) await this.open();
    const change = this.#pending.get(path);
    if (change !== undefined) return change.bytes?.slice();
    const read = this.#disk.read(path, (size) => this.#checkSize(path, size, 'data_loss'));
    return this.#attempt(
      path,
      read.catch((error) => void ignoreMissing(error)),
    );
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    const path = this.#pathOf(key);
    this.#checkSize(path, value.length, 'resource_exhausted');
    return this.#change(path, new Uint8Array(value)); // `slice` of a Buffer returns a view.
  }

  async delete(key: string): Promise<void> {
    return this.#change(this.#pathOf(key), undefined);
  }

  async keys(): Promise<string[]> {
    this.#checkOpen();
    await this.open();
    const { folder, keyOf } = this.#layout;
    const names = new Set(await this.#attempt(folder, this.#disk.list(folder)));
    for (const [path, { bytes }] of this.#pending) {
      if (bytes === undefined) names.delete(basename(path));
      else names.add(basename(path));
    }
    return [...names].map(keyOf).filter((key) => key !== undefined);
  }

  async sync(): Promise<void> {
    this.#checkOpen();
    const changes = [...this.#pending.values()];
    await this.open();
    await Promise.all(changes.map(({ done }) => done));
    await this.#attempt(this.#layout.folder, this.#disk.syncFolderOf(this.#layout.lock));
  }

  /**
   * Locks the files; every other operation does it first, except `get` if the layout allows it
   * (`readsUnlocked`). After a failure, the next one retries.
   */
  open(): Promise<void> {
    this.#opening ??= this.#take().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Renames a key, even if its value cannot be read. Call it only while no change waits. */
  async move(key: string, to: string): Promise<void> {
    const path = this.#pathOf(to);
    await this.open();
    await this.#attempt(path, this.#lock.hold());
    await this.#attempt(path, this.#disk.rename(this.#pathOf(key), path));
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
    while (this.#pending.size > 0) await this.#last;
    await this.#attempt(this.#layout.lock, this.#lock.release());
  }

  #pathOf(key: string): string {
    this.#checkOpen();
    return this.#layout.pathOf(key);
  }

  #checkOpen(): void {
    const { kind, folder } = this.#layout;
    if (this.#closing !== undefined)
      throw new TransportError('shutdown', `${kind}: ${folder}: it was closed`);
  }

  #checkSize(path: string, size: number, code: 'data_loss' | 'resource_exhausted'): void {
    const { kind, largest } = this.#layout;
    if (size > largest)
      throw new TransportError(
        code,
        `${kind}: ${path}: it has ${size} bytes, but may have at most ${largest}`,
        { target: path },
      );
  }

  /** Returns the result of an operation on a path. Its error names the path. */
  async #attempt<T>(path: string, operation: Promise<T>): Promise<T> {
    try {
      return await operation;
    } catch (error) {
      throw fileError(error, this.#layout.kind, path);
    }
  }

  /** Locks the files, and removes what a process that stopped during a write has left. */
  async #take(): Promise<void> {
    const { folder, makesFolder, lock, keyOf } = this.#layout;
    if (makesFolder) await this.#attempt(folder, this.#disk.makeFolder(folder));
    await this.#attempt(lock, this.#lock.hold());
    for (const name of await this.#disk.list(folder).catch(() => [])) {
      if (name.endsWith(UNFINISHED) && keyOf(name.slice(0, -UNFINISHED.length)) !== undefined)
        await this.#disk.unlink(join(folder, name)).catch(() => {});
    }
  }

  #change(path: string, bytes: Uint8Array | undefined): Promise<void> {
    const known = this.#pending.get(path);
    if (known?.isRunning === false) {
      known.bytes = bytes;
      return known.done;
    }
    const change: Change = { bytes, done: this.#last, isRunning: false };
    change.done = this.#apply(path, change, this.#last);
    this.#pending.set(path, change);
    this.#last = change.done.catch(() => {});
    return change.done;
  }

  async #apply(path: string, change: Change, before: Promise<void>): Promise<void> {
    await before;
    try {
      await this.open();
      change.isRunning = true;
      await this.#attempt(path, this.#make(path, change.bytes));
    } finally {
      if (this.#pending.get(path) === change) this.#pending.delete(path);
    }
  }

  /** Makes one change. A failure leaves the previous content intact. */
  async #make(path: string, bytes: Uint8Array | undefined): Promise<void> {
    await this.#lock.hold();
    if (bytes === undefined) return this.#disk.unlink(path).catch(ignoreMissing);
    const temporary = path + UNFINISHED;
    try {
      await this.#disk.unlink(temporary).catch(ignoreMissing);
      await this.#disk.write(temporary, bytes);
      await this.#disk.rename(temporary, path);
    } catch (error) {
      await this.#disk.unlink(temporary).catch(() => {});
      throw error;
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

const STORE = 'store';
/** The file name of the empty key. */
const EMPTY = '%';
/**
 * Maximum length of a file's name in bytes: most file systems allow 255, and a temporary name is
 * five bytes longer.
 */
const LONGEST = 200;
/** The suffix of temporary files; no file name of a key contains it. */
const UNFINISHED = '.tmp~';
const LONE = /\p{Surrogate}/u;

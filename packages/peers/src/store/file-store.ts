// Creates a `Store` in a folder, one file for each key. For Node.

import { resolve } from 'node:path';
import { TransportError } from '@trunkline/transport-core';
import {
  type FileDisk,
  fileDisk,
  fileError,
  hasNoLinks,
  ignoreMissing,
  systemErrorCode,
} from '@trunkline/transport-core/node';
import type { AddressBookStore } from './address-book-store.ts';
import { FileEntries, type FileStore } from './file-entries.ts';
import { FileLock, type Processes, processes } from './file-lock.ts';
import { type Loaded, readText, withRemedy } from './read-text.ts';
import { type Backing, ExclusiveStore } from './store-backing.ts';

/**
 * Returns a store that keeps each key in a separate file of mode 0600. The folder is created if it
 * is missing; its parent folders are not. A value is always complete or absent, even if the process
 * or the machine stops. `set` resolves when the new value has replaced the old one. Until `sync`
 * has resolved, a crash of the machine may undo the change.
 *
 * Only one store at a time can use the folder. The first operation locks the folder. It rejects
 * with `failed_precondition`, naming the process, if another process holds the lock. The lock of a
 * process that is gone is taken over. Operations reject with these codes:
 * - `not_found`: the parent folder is missing.
 * - `permission_denied`: the file system does not allow it.
 * - `resource_exhausted`: the disk is full, or the value exceeds 64 MiB.
 * - `invalid_argument`: the key takes more than 200 bytes (each byte of a capital or of another
 *   escaped character counts as three).
 * - `data_loss`: the disk failed.
 *
 * After a failure the previous content is intact, and the operation can be retried. Throws a
 * TypeError if `folder` is not a valid path.
 */
export function createFileStore(folder: string): FileStore {
  if (typeof folder !== 'string' || folder === '' || folder.includes('\0')) {
    throw new TypeError(
      `createFileStore: folder: must be the path of a folder, got ${typeof folder === 'string' ? JSON.stringify(folder) : typeof folder}`,
    );
  }
  return new FileEntries(resolve(folder), fileDisk, processes);
}

// An address book store in a file. For Node.

/**
 * Creates an address book store in a file of mode 0600. The file is always complete or absent, even
 * if the process or the machine stops during a save. Its folder must exist. The store also creates
 * these files beside it:
 * - `path.old`: the last text but one, which is loaded if the file is broken.
 * - `path.broken`: a file that could not be read.
 * - `path.lock`: keeps other processes out. For them, `load` rejects with `failed_precondition` and
 *   names the path and the pid of the holder. A lock file whose process is gone is replaced.
 * - `path.tmp`: exists during a save.
 *
 * `load` also rejects with `not_found` if the folder is missing, and with `invalid_argument` if the
 * path can never be a file. Files above 16 MiB are not read. Throws a TypeError if `path` is not a
 * valid path.
 */
export function createFileAddressBook(path: string): AddressBookStore {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new TypeError(
      `createFileAddressBook: path: must be the path of a file, got ${typeof path === 'string' ? JSON.stringify(path) : typeof path}`,
    );
  }
  const file = resolve(path);
  return new ExclusiveStore(new FileBacking(file, fileDisk, processes), file);
}

// Keeps an address book in a file. A new version is written completely before it gets the file's
// name, and the old version is kept under another name.

/** Loads and saves an address book in a file, under a lock. */
export class FileBacking implements Backing {
  readonly #path: string;
  readonly #disk: FileDisk;
  readonly #lock: FileLock;
  /**
   * True if the file could be read. In that case it becomes the old version at the next save.
   * Otherwise the old version stays as it is.
   */
  #isGood = false;

  constructor(path: string, disk: FileDisk, processes: Processes) {
    this.#path = path;
    this.#disk = disk;
    this.#lock = new FileLock(`${path}.lock`, disk, processes);
  }

  async open<T>(read: (text: string) => T): Promise<Loaded<T>> {
    const warnings: TransportError[] = [];
    this.#isGood = false;
    await this.#takeLock(warnings);
    try {
      if (this.#lock.isHeld) await this.#disk.unlink(`${this.#path}.tmp`).catch(() => {});
      for (const path of [this.#path, `${this.#path}.old`]) {
        const found = await this.#find(path, read, warnings);
        if (found === undefined) continue;
        this.#isGood = path === this.#path;
        if (!this.#isGood)
          warnings.push(
            new TransportError(
              'data_loss',
              `address book: ${this.#path}: it is missing or broken; '${path}', which was saved before it, is used`,
              {
                target: path,
              },
            ),
          );
        return { value: found.value, warnings };
      }
      return { value: undefined, warnings };
    } catch (error) {
      await this.release().catch(() => {});
      throw error;
    }
  }

  /**
   * Writes a new version. Each step leaves a complete file under the path or under '.old', and a
   * failure leaves the previous content intact.
   */
  async write(text: string): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    try {
      const bytes = new TextEncoder().encode(text);
      if (bytes.length > LARGEST) throw tooLarge(this.#path, bytes.length, 'resource_exhausted');
      await this.#lock.hold();
      await this.#disk.unlink(temporary).catch(ignoreMissing);
      await this.#disk.write(temporary, bytes);
      if (this.#isGood) await this.#keepOld();
      await this.#disk.rename(temporary, this.#path);
      this.#isGood = true;
      await this.#disk.syncFolderOf(this.#path);
    } catch (error) {
      await this.#disk.unlink(temporary).catch(() => {});
      throw fileError(error, KIND, this.#path);
    }
  }

  async release(): Promise<void> {
    try {
      await this.#lock.release();
    } catch (error) {
      throw fileError(error, KIND, `${this.#path}.lock`);
    }
  }

  /**
   * Takes the lock. If no lock can be created, the book can be read but not saved; each save then
   * tries again to take the lock.
   */
  async #takeLock(warnings: TransportError[]): Promise<void> {
    try {
      await this.#lock.hold();
    } catch (cause) {
      const error = fileError(cause, KIND, `${this.#path}.lock`);
      if (error.code === 'failed_precondition' || isMisplaced(error)) throw error;
      warnings.push(withRemedy(error, 'the book can be read, but not saved until this is fixed'));
    }
  }

  async #find<T>(
    path: string,
    read: (text: string) => T,
    warnings: TransportError[],
  ): Promise<{ value: T } | undefined> {
    try {
      const bytes = await this.#disk.read(path, (size) => {
        if (size > LARGEST) throw tooLarge(path, size, 'data_loss');
      });
      return { value: readText(bytes, read, path) };
    } catch (cause) {
      if (systemErrorCode(cause) === 'ENOENT') return undefined;
      const error = fileError(cause, KIND, path);
      if (isMisplaced(error)) throw error;
      warnings.push(withRemedy(error, await this.#putAside(path)));
      return undefined;
    }
  }

  /**
   * Moves a file that cannot be read aside, so that nothing is lost. Only the newest unreadable
   * file is kept.
   */
  async #putAside(path: string): Promise<string> {
    const aside = `${path}.broken`;
    if (!this.#lock.isHeld) return 'it was not changed';
    try {
      await this.#disk.rename(path, aside);
      return `it was moved to '${aside}'`;
    } catch (error) {
      return `it could not be moved to '${aside}': ${fileError(error, KIND, aside).message}`;
    }
  }

  /**
   * Gives the file a second name, so that a file exists under the path at all times. If the file
   * system has no links, the file is renamed.
   */
  async #keepOld(): Promise<void> {
    const old = `${this.#path}.old`;
    await this.#disk.unlink(old).catch(ignoreMissing);
    try {
      await this.#disk.link(this.#path, old);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return; // Somebody removed the file.
      if (!hasNoLinks(error)) throw error;
      await this.#disk.rename(this.#path, old);
      this.#isGood = false;
    }
  }
}

/**
 * Returns true if the error means that the path can never be an address book, regardless of the
 * state of the disk.
 */
function isMisplaced(error: TransportError): boolean {
  return error.code === 'not_found' || error.code === 'invalid_argument';
}

function tooLarge(
  path: string,
  size: number,
  code: 'data_loss' | 'resource_exhausted',
): TransportError {
  return new TransportError(
    code,
    `address book: ${path}: it has ${size} bytes, but an address book may have at most ${LARGEST}`,
    { target: path },
  );
}

const KIND = 'address book';
/** Maximum size of a file in bytes: 16 MiB, several times a full book. */
const LARGEST = 16_777_216;

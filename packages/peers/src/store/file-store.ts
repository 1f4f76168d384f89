// Creates stores in files. For Node.

import { resolve } from 'node:path';
import { type FileDisk, fileDisk } from '@trunkline/transport-core/node';
import type { AddressBookStore } from './address-book-store.ts';
import { bookLayout, FileEntries, type FileStore, folderLayout } from './file-entries.ts';
import { type Processes, processes } from './file-lock.ts';
import { ExclusiveStore, StoreBacking } from './store-backing.ts';

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
  return new FileEntries(folderLayout(resolve(folder)), fileDisk, processes);
}

/**
 * Creates an address book store in a file of mode 0600. The file is always complete or absent, even
 * if the process or the machine stops during a save. Its folder must exist. The store also creates
 * these files beside it:
 * - `path.old`: the last text but one, which is loaded if the file is broken.
 * - `path.broken`: a file that could not be read.
 * - `path.lock`: keeps other processes out. For them, `load` rejects with `failed_precondition` and
 *   names the path and the pid of the holder. A lock file whose process is gone is replaced. If two
 *   processes replace it in the same instant, both load, and one of them can't save.
 * - `path~` and `path.old~`: exist during a save.
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
  return addressBookAt(resolve(path), fileDisk, processes);
}

/** Returns an address book in a file store with one key, its path. */
export function addressBookAt(
  path: string,
  disk: FileDisk,
  processes: Processes,
): AddressBookStore {
  const place = () => {
    const store = new FileEntries(bookLayout(path), disk, processes);
    return {
      store,
      lock: () => store.open(),
      move: (key: string, to: string) => store.move(key, to),
      release: () => store.close(),
    };
  };
  return new ExclusiveStore(new StoreBacking(place, path), path);
}

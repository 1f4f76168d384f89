// An address book in a file. For Node.

import { resolve } from 'node:path';
import type { AddressBookStore } from './address-book-store.ts';
import { FileBacking } from './file-backing.ts';
import { fileDisk } from './file-disk.ts';
import { OneUser } from './lifecycle.ts';
import { processes } from './processes.ts';

/**
 * An address book in a file of mode 0600 that is there whole or not at all, whenever the process or the machine stops. Its folder must
 * exist. Beside it are made: `path.old`, what was saved before, loaded where the file is broken; `path.broken`, what could not be read;
 * `path.lock`, which keeps other processes out (`failed_precondition` naming it and their pid) and is taken over from one that is gone;
 * `path.tmp`, while one is saved. `load` rejects also with `not_found` where the folder is missing and `invalid_argument` where the
 * path can be none. A file above 16 MiB is not read. A TypeError for what is no path.
 */
export function createFileAddressBook(path: string): AddressBookStore {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new TypeError(`createFileAddressBook: path: must be the path of a file, got ${typeof path === 'string' ? JSON.stringify(path) : typeof path}`);
  }
  const file = resolve(path);
  return new OneUser(new FileBacking(file, fileDisk, processes), file);
}

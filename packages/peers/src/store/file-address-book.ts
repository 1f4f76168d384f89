// An address book store in a file. For Node.

import { resolve } from 'node:path';
import { fileDisk } from '@trunkline/transport-core/node';
import type { AddressBookStore } from './address-book-store.ts';
import { ExclusiveStore } from './exclusive-store.ts';
import { FileBacking } from './file-backing.ts';
import { processes } from './processes.ts';

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

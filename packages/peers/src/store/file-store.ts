// Creates a `Store` in a folder, one file for each key. For Node.

import { resolve } from 'node:path';
import { fileDisk } from '@trunkline/transport-core/node';
import { FileEntries, type FileStore } from './file-entries.ts';
import { processes } from './processes.ts';

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

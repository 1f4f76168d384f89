// A Store in a folder, one file for each key. For Node.

import { resolve } from 'node:path';
import { fileDisk } from './file-disk.ts';
import { FileEntries, type FileStore } from './file-entries.ts';
import { processes } from './processes.ts';

/**
 * Returns a store that keeps each key in a file of its own, mode 0600, in a folder that is made if it is missing (not the
 * folders around it). A value is there whole or not at all whenever the process or the machine stops: `set` resolves when it has
 * replaced the one before, which a crash of the machine may take back until `sync`.
 *
 * The folder belongs to one store at a time. The first operation takes it, and rejects with `failed_precondition` naming the
 * process that has it; a process that is gone loses it. Operations reject with `not_found` where the folder around it is missing,
 * `permission_denied`, `resource_exhausted` for a full disk or a value above 64 MiB, `invalid_argument` for a key of more
 * than 200 bytes (capitals and signs count three times), `data_loss` where the disk fails: what was there before is intact, and
 * the operation can be tried again. A TypeError for what is no path.
 */
export function createFileStore(folder: string): FileStore {
  if (typeof folder !== 'string' || folder === '' || folder.includes('\0')) {
    throw new TypeError(`createFileStore: folder: must be the path of a folder, got ${typeof folder === 'string' ? JSON.stringify(folder) : typeof folder}`);
  }
  return new FileEntries(resolve(folder), fileDisk, processes);
}

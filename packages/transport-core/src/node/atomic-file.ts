// Writes files that are always complete or absent, even if the machine stops during the write.
//
// `write-file-atomic` 7 does less: it has no way to leave an existing file alone, because it always
// renames; it does not sync the folder, so a new name can be lost in a power failure; and it adds
// an exit hook to the process.

import { Buffer } from 'node:buffer';
import { systemRandom } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import { fileDisk, hasNoLinks } from './file-disk.ts';

/** Options for creating the file: its `mode`, and what to do if it exists. */
export interface AtomicFileOptions {
  readonly mode: number;
  /**
   * True to replace an existing file. If false, an existing file stays as it is, and the call
   * rejects with EEXIST.
   */
  readonly overwrite: boolean;
}

/**
 * Writes a temporary file beside `path` and gives it its final name once it is on the disk. If the
 * file system has no links (FAT, some network shares), a file that must not replace another is
 * written in place. It still replaces nothing, but others may see a partial file. Rejects with the
 * errors of node:fs. `addName` is for tests.
 */
export async function writeAtomically(
  path: string,
  text: string,
  { mode, overwrite }: AtomicFileOptions,
  addName = fileDisk.link,
): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const temporary = `${path}.${Buffer.from(randomBytes(systemRandom, 8)).toString('hex')}.tmp`;
  try {
    await fileDisk.write(temporary, bytes, mode);
    if (overwrite) await fileDisk.rename(temporary, path);
    else {
      await addName(temporary, path).catch((error) => {
        if (!hasNoLinks(error)) throw error;
        return fileDisk.write(path, bytes, mode);
      });
    }
  } finally {
    // After a rename, the temporary file is already gone.
    await fileDisk.unlink(temporary).catch(() => {});
  }
  await fileDisk.syncFolderOf(path);
}

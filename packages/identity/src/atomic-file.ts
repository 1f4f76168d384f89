// Writes files that are always complete or absent, even if the machine stops during the write.

import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { platform } from 'node:process';
import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes, systemRandom } from '@trunkline/transport-core';

/** How to create the file: its `mode`, and what to do if it exists. */
export interface AtomicFileOptions {
  readonly mode: number;
  /**
   * If true, an existing file is replaced. Otherwise it is left as it is, and the call rejects with
   * EEXIST.
   */
  readonly overwrite: boolean;
}

/**
 * Writes a temporary file beside `path` and gives it its name once it is on the disk. Rejects with
 * the errors of node:fs. `addName` is for tests.
 */
export async function writeAtomically(
  path: string,
  text: string,
  { mode, overwrite }: AtomicFileOptions,
  addName = link,
): Promise<void> {
  const temporary = `${path}.${bytesToHex(randomBytes(systemRandom, 8))}.tmp`;
  try {
    await writeNew(temporary, text, mode);
    if (overwrite) await rename(temporary, path);
    else await addName(temporary, path).catch((error) => writeInPlace(path, text, mode, error));
  } finally {
    // After a rename it is gone already.
    await unlink(temporary).catch(() => {});
  }
  await syncFolder(dirname(path));
}

/**
 * Writes the file in place if the file system has no links (FAT, some network shares). A link,
 * unlike a rename, never replaces a file. Writing in place does not either, but others may see a
 * part of the file.
 */
async function writeInPlace(
  path: string,
  text: string,
  mode: number,
  error: { code?: string },
): Promise<void> {
  if (!NO_LINKS.has(error.code ?? '')) throw error;
  await writeNew(path, text, mode);
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.chmod(mode); // The umask may have removed some bits.
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await unlink(path).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Syncs the folder, which is where a file's name is stored. Windows and a few file systems cannot
 * sync folders.
 */
async function syncFolder(folder: string): Promise<void> {
  if (platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (!NO_SYNC.has((error as { code?: string }).code ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
/**
 * Error codes of folders that cannot be synced. EACCES: this user may write to the folder but not
 * read it.
 */
const NO_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

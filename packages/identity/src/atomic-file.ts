// A file that is there whole or not at all, also when the machine stops in between.

import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { platform } from 'node:process';
import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes, systemRandom } from '@trunkline/transport-core';

export interface AtomicFileOptions {
  readonly mode: number;
  /** What stands at the path is replaced. Otherwise it is left as it is, and the call rejects with EEXIST. */
  readonly overwrite: boolean;
}

/** Writes a temporary file beside `path` and gives it its name once it is on the disk. Rejects with node:fs's errors. `addName` is for tests. */
export async function writeAtomically(path: string, text: string, { mode, overwrite }: AtomicFileOptions, addName = link): Promise<void> {
  const temporary = `${path}.${bytesToHex(randomBytes(systemRandom, 8))}.tmp`;
  try {
    await writeNew(temporary, text, mode);
    if (overwrite) await rename(temporary, path);
    else await addName(temporary, path).catch((error) => writeInPlace(path, text, mode, error));
  } finally {
    await unlink(temporary).catch(() => {}); // After a rename it is gone already.
  }
  await syncFolder(dirname(path));
}

/**
 * A second name, unlike a rename, replaces nothing. Where the file system knows none (FAT, some network shares), the file is written
 * where it shall be: still not over another, but others may see half of it.
 */
async function writeInPlace(path: string, text: string, mode: number, error: { code?: string }): Promise<void> {
  if (!NO_LINKS.has(error.code ?? '')) throw error;
  await writeNew(path, text, mode);
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.chmod(mode); // The umask may have taken some of it.
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await unlink(path).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
}

/** A name is kept by the folder. Windows, and a few file systems, can't sync one. */
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
/** EACCES: a folder in which this user may write and not read. */
const NO_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

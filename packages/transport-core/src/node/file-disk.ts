// The disk operations that make files safe from a crash. They are an interface, so that a test can
// pass a disk that fails or stops at any step.

import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from './file-error.ts';
import { platform } from './system-process.ts';

/** The disk operations. All reject with the errors of node:fs (`code: 'ENOENT'` …). */
export interface FileDisk {
  /**
   * Reads a whole regular file. `onSize` is called with its size first and may throw. Folders
   * reject with EISDIR, pipes with ENXIO.
   */
  read(path: string, onSize: (size: number) => void): Promise<Uint8Array>;
  /**
   * Writes a new file. Its content is safe from a crash afterwards, but its name is not yet.
   * Rejects with EEXIST if the file exists. After another failure, the file is removed if possible.
   *
   * @param mode default 0600: readable by the owner only.
   */
  write(path: string, bytes: Uint8Array, mode?: number): Promise<void>;
  /** Gives a file a second name; never replaces a file. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /**
   * Makes a folder that only its owner may enter. An existing folder stays as it is. Rejects with
   * ENOENT if the parent folder is missing.
   */
  makeFolder(path: string): Promise<void>;
  /** Returns the names in a folder. */
  list(folder: string): Promise<string[]>;
  /** Makes the links, renames and unlinks in the folder of this file safe from a crash. */
  syncFolderOf(path: string): Promise<void>;
}

/** The real file system. */
export const fileDisk: FileDisk = {
  read,
  write,
  link,
  rename,
  unlink,
  makeFolder,
  list: (folder) => readdir(folder),
  syncFolderOf,
};

/**
 * Reads a file that `check` accepts: at most the number of bytes that `check` returns, even if the
 * file grows in the meantime. `check` sees the very file that is then read, so nobody can replace
 * the file in between. `check` may throw, for example if the file is not a regular file.
 */
export async function readRegular(
  path: string,
  check: (stats: Stats) => number,
): Promise<Uint8Array> {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const most = check(await handle.stat());
    const bytes = new Uint8Array(most);
    let length = 0;
    while (length < most) {
      const { bytesRead } = await handle.read(bytes, length, most - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await handle.close();
  }
}

/** Returns true if the error of a link means that the file system has no links. */
export function hasNoLinks(error: unknown): boolean {
  return NO_LINKS.has(systemErrorCode(error) ?? '');
}

function read(path: string, onSize: (size: number) => void): Promise<Uint8Array> {
  return readRegular(path, (stats) => {
    if (stats.isDirectory())
      throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' });
    if (!stats.isFile())
      throw Object.assign(new Error(`${path} is no regular file`), { code: 'ENXIO' });
    onSize(stats.size);
    return stats.size;
  });
}

async function write(path: string, bytes: Uint8Array, mode = MODE): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.chmod(mode); // The umask may have removed some bits.
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await unlink(path).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
}

/**
 * Syncs the folder, which is where a file's name is stored. Windows and a few file systems cannot
 * sync folders.
 */
async function syncFolderOf(path: string): Promise<void> {
  if (platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(dirname(path), 'r');
    await handle.sync();
  } catch (error) {
    if (!NO_SYNC.has(systemErrorCode(error) ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

/**
 * The mode of a file that only its owner can read, because the list of nodes that a node knows is
 * private.
 */
const MODE = 0o600;
const FOLDER_MODE = 0o700;
/**
 * Error codes of folders that cannot be synced. EACCES means that this user may write to the folder
 * but not read it.
 */
const NO_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

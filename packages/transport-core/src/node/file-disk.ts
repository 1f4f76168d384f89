// The disk operations that make files safe from a crash. They are an interface, so that a test can
// pass a disk that fails or stops at any step, as the tests of the stores of peers do. Below are
// the errors of node:fs with advice, and writeAtomically, which always uses the real disk.
//
// atomic-file.test.ts tests writeAtomically. file-store.test.ts and file-address-book.test.ts of
// peers and key-file.test.ts of security test the rest.

import { Buffer } from 'node:buffer';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ErrorCode, systemRandom, TransportError } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import { platform } from './system-process.ts';

/** The disk operations. All reject with the errors of node:fs (`code: 'ENOENT'` …). */
export interface FileDisk {
  /**
   * Reads a whole regular file. `onSize` is called with its size in bytes before memory is
   * allocated, and may throw. Folders reject with EISDIR, pipes and other special files with ENXIO.
   */
  read(path: string, onSize: (size: number) => void): Promise<Uint8Array>;
  /**
   * Writes a new file. Its content is safe from a crash afterwards; its name is only after
   * `syncFolderOf`.
   * Rejects with EEXIST if the file exists. If writing or syncing fails, the file is removed if
   * possible.
   *
   * @param mode default 0600: readable by the owner only.
   */
  write(path: string, bytes: Uint8Array, mode?: number): Promise<void>;
  /** Gives a file a second name; rejects with EEXIST instead of replacing a file. */
  link(from: string, to: string): Promise<void>;
  /** Renames a file; replaces a file that has the new name. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /**
   * Makes a folder that only its owner may enter. Resolves without a change if anything exists at
   * the path, even a file. Rejects with ENOENT if the parent folder is missing.
   */
  makeFolder(path: string): Promise<void>;
  /** Returns the names in a folder. */
  list(folder: string): Promise<string[]>;
  /**
   * Makes the links, renames and unlinks in the folder of this file safe from a crash. Does nothing
   * if the system cannot sync folders (Windows, some file systems).
   */
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
 * file grows in the meantime. That number is allocated at once, so `check` must bound it. `check`
 * sees the very file that is then read, so nobody can replace the file in between. It may throw,
 * for example if the file is not a regular file. Otherwise rejects with the errors of node:fs.
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

/** Returns true if the error of `FileDisk.link` means that the file system has no links. */
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

/** Syncs the folder, which is where a file's name is stored. */
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

/** The default mode of `write`: the list of nodes that a node knows, for example, is private. */
const MODE = 0o600;
const FOLDER_MODE = 0o700;
/**
 * Error codes of folders that cannot be synced. EACCES means that this user may write to the folder
 * but not read it.
 */
const NO_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

// Translates file system error codes to ours, with advice for each.

/**
 * Converts an error of node:fs to a TransportError whose message begins with `subject` and the
 * path. The original is its `cause`. A TransportError is returned unchanged.
 *
 * @param subject the kind of object that the file holds, or the function that was called.
 * @param action the failed action, on which the advice for a missing file depends.
 */
export function fileError(
  error: unknown,
  subject: string,
  path: string,
  action: 'read' | 'write' = 'write',
): TransportError {
  if (error instanceof TransportError) return error;
  const code = systemErrorCode(error) ?? 'no code';
  const [as, text] =
    code === 'ENOENT' ? MISSING[action] : (MEANINGS[code] ?? ['unknown', 'the system failed']);
  return new TransportError(as, `${subject}: ${path}: ${text} (${code})`, {
    target: path,
    cause: error,
  });
}

/** Returns the `code` of an error, such as 'ENOENT'; undefined if it has none. */
export function systemErrorCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Ignores ENOENT and rethrows anything else; for removing files that may be gone already. */
export function ignoreMissing(error: unknown): void {
  if (systemErrorCode(error) !== 'ENOENT') throw error;
}

const MISSING: Record<'read' | 'write', [ErrorCode, string]> = {
  read: ['not_found', 'no such file; save one at this path first, or correct the path'],
  write: ['not_found', "its folder does not exist; make it ('mkdir -p'), or correct the path"],
};
const NO_ROOM: [ErrorCode, string] = ['resource_exhausted', 'there is no room left; make some'];
const NO_FILES: [ErrorCode, string] = [
  'resource_exhausted',
  'too many files are open; raise the limit (ulimit -n)',
];
const FORBIDDEN: [ErrorCode, string] = [
  'permission_denied',
  'this user may not; look at the owner and mode of the file and its folder (ls -la)',
];

const MEANINGS: Record<string, [ErrorCode, string]> = {
  ENOTDIR: ['invalid_argument', 'a part of the path is no folder; correct the path'],
  EISDIR: ['invalid_argument', 'it is a folder; give the path of a file in it'],
  ENAMETOOLONG: ['invalid_argument', 'the path is too long; give a shorter one'],
  ELOOP: ['invalid_argument', 'its symbolic links lead in a circle; correct them'],
  ENXIO: ['invalid_argument', 'it is not a regular file; give the path of one'],
  EEXIST: ['already_exists', 'it exists already; give another path'],
  ENOTEMPTY: ['already_exists', 'it is a folder; give the path of a file in it'],
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: ['permission_denied', 'the file system is read-only; give a path on another'],
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  EFBIG: NO_ROOM,
  EMFILE: NO_FILES,
  ENFILE: NO_FILES,
  EIO: ['data_loss', 'the disk failed; look at it'],
  EBUSY: ['unavailable', 'something else has hold of it; try again'],
};

// Writes files that are always complete or absent, even if the machine stops during the write.
//
// `write-file-atomic` 7 does less: it has no way to leave an existing file alone, because it always
// renames; it does not sync the folder, so a new name can be lost in a power failure; and it adds
// an exit hook to the process.

/** Options of {@link writeAtomically}. */
export interface AtomicFileOptions {
  readonly mode: number;
  /**
   * True to replace an existing file. If false, an existing file stays as it is, and the call
   * rejects with EEXIST.
   */
  readonly overwrite: boolean;
}

/**
 * Writes a temporary file beside `path` and gives it its final name once it is on the disk, then
 * syncs the folder: in another order, a power failure could leave a partial file or no file at
 * `path`. A crash may leave the temporary file, which nothing removes. If the file system has no
 * links (FAT, some network shares), a file that must not replace another is written in place. It
 * still replaces nothing, but others may see a partial file. Rejects with the errors of node:fs.
 * `addName` is for tests.
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

// What an address book or a store in files does with a disk, as a port: a test gives one that fails, or stops, at any step.

import { constants, type FileHandle, link, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { platform } from 'node:process';

/** Rejects with node:fs's errors (`code: 'ENOENT'` …). */
export interface FileDisk {
  /** All of a regular file; `onSize` is told its size first, and may throw. Folders and pipes are EISDIR and ENXIO. */
  read(path: string, onSize: (size: number) => void): Promise<Uint8Array>;
  /** A new file that is safe from a crash but for its name; EEXIST where one is there. Half of it may stay where it fails. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** A second name, which replaces nothing. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes a folder that only its owner may enter; one that is there stays as it is. ENOENT where the folder around it is missing. */
  makeFolder(path: string): Promise<void>;
  /** The names in a folder. */
  list(folder: string): Promise<string[]>;
  /** What was linked, renamed and unlinked in the folder of this file is safe from a crash. */
  syncFolderOf(path: string): Promise<void>;
}

export const fileDisk: FileDisk = { read, write, link, rename, unlink, makeFolder, list: (folder) => readdir(folder), syncFolderOf };

async function read(path: string, onSize: (size: number) => void): Promise<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // A pipe would keep us waiting for a writer.
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' });
    if (!stats.isFile()) throw Object.assign(new Error(`${path} is no regular file`), { code: 'ENXIO' });
    onSize(stats.size);
    return await readAll(handle, stats.size);
  } finally {
    await handle.close();
  }
}

/** No more than its size was, also of a file that grows meanwhile. */
async function readAll(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', MODE);
  try {
    await handle.chmod(MODE); // The umask may have taken some of it.
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error;
  }
}

/** A name is kept by the folder. Windows, and a few file systems, can't sync one. */
async function syncFolderOf(path: string): Promise<void> {
  if (platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(dirname(path), 'r');
    await handle.sync();
  } catch (error) {
    if (!NO_SYNC.has((error as { code?: string }).code ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

/** For its owner alone: whom a node knows is nobody else's business. */
const MODE = 0o600;
const FOLDER_MODE = 0o700;
/** EACCES: a folder in which this user may write and not read. */
const NO_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

// The calls of `node:fs` that consist of several system calls, such as readFile. A crash may come
// between two of them.

import type { FileCalls, OpenFlags, Steps } from './file-calls.ts';
import { fileError } from './file-error.ts';
import type { TreeNode } from './file-tree.ts';

/** A path, or the number of an open file. */
export type Target = string | number;

export class FileRecipes {
  readonly #calls: FileCalls;

  constructor(calls: FileCalls) {
    this.#calls = calls;
  }

  *read(target: Target, flags: OpenFlags): Steps<Uint8Array> {
    return yield* this.#with(target, flags, this.#readAll.bind(this));
  }

  /** Writes a whole file. With `flush`, it syncs the file before it closes it. */
  *write(target: Target, bytes: Uint8Array, flags: OpenFlags, flush: boolean): Steps<void> {
    const calls = this.#calls;
    yield* this.#with(target, flags, function* (fd) {
      for (let at = 0; at < bytes.length; at += CHUNK)
        yield* calls.write(fd, bytes.subarray(at, at + CHUNK), undefined);
      if (flush) yield* calls.fsync(fd);
    });
  }

  *truncate(path: string, size: number): Steps<void> {
    const calls = this.#calls;
    yield* this.#with(path, { read: true, write: true }, (fd) => calls.ftruncate(fd, size));
  }

  *copy(path: string, to: string, exclusive: boolean): Steps<void> {
    const [calls, recipes] = [this.#calls, this];
    yield* this.#with(path, { read: true, write: false }, function* (from) {
      const bytes = yield* recipes.read(from, { read: true, write: false });
      if (path === to && !exclusive) return;
      const flags = { read: false, write: true, create: true, exclusive };
      yield* recipes.#with(to, flags, function* (fd) {
        yield* calls.ftruncate(fd, 0);
        yield* recipes.write(fd, bytes, flags, false);
      });
    });
  }

  /**
   * Creates a directory and all directories above it. Returns the first one that it created, if
   * any.
   */
  *makeDirectories(path: string): Steps<string | undefined> {
    const missing: string[] = [];
    for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const node = yield* this.find(at);
      if (node?.kind === 'file') throw fileError(at === path ? 'EEXIST' : 'ENOTDIR', 'mkdir', path);
      if (node !== undefined) break;
      missing.push(at);
    }
    for (const directory of missing.toReversed()) yield* this.#calls.mkdir(directory);
    return missing.at(-1);
  }

  /** Removes a file, or a directory with everything in it. */
  *remove(path: string, recursive: boolean, force: boolean): Steps<void> {
    const node = force ? yield* this.find(path) : yield* this.#calls.stat(path, 'rm');
    if (node === undefined) return;
    if (node.kind === 'file') return yield* this.#calls.unlink(path);
    if (!recursive) throw fileError('EISDIR', 'rm', path);
    for (const [name] of yield* this.#calls.readdir(path))
      yield* this.remove(`${path}/${name}`, true, true);
    yield* this.#calls.rmdir(path);
  }

  /** Returns the file or directory at a path, or undefined if there is none. */
  *find(path: string): Steps<TreeNode | undefined> {
    try {
      return yield* this.#calls.stat(path);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  *#readAll(fd: number): Steps<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const chunk = yield* this.#calls.read(fd, CHUNK, undefined);
      if (chunk.length === 0) break;
      chunks.push(chunk);
      size += chunk.length;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  *#with<T>(target: Target, flags: OpenFlags, use: (fd: number) => Steps<T>): Steps<T> {
    if (typeof target === 'number') return yield* use(target);
    const fd = yield* this.#calls.open(target, flags);
    try {
      return yield* use(fd);
    } finally {
      yield* this.#calls.close(fd);
    }
  }
}

/** Number of bytes that one system call transfers, as in Node's readFile. */
const CHUNK = 512 * 1_024;

// The calls of `node:fs` as sequences of system calls, without the callbacks and promises of
// `node:fs`.

import { constants } from 'node:fs';
import process from 'node:process';
import type { FileCalls, Steps } from '../../files/file-calls.ts';
import { fileError } from '../../files/file-error.ts';
import { FileRecipes } from '../../files/file-recipes.ts';
import {
  bytesOf,
  encoded,
  flagsOf,
  invalid,
  optionsOf,
  pathOf,
  positionOf,
  targetOf,
} from './arguments.ts';
import { Dirent, Stats } from './stats.ts';

/** A call of `node:fs`, with the arguments that Node takes, except the callback. */
export type Call = (...args: any[]) => Steps<any>;

/** The result of `read` and `write`, in the form that Node's promises have. */
export interface Transferred {
  readonly bytes: number;
  readonly buffer: unknown;
}

/** Creates the calls of one life of a node. `random` draws the names of temporary directories. */
export function createCalls(calls: FileCalls, random: () => number) {
  const recipes = new FileRecipes(calls);
  /** Writes to a file, or to the output of the program, which shows what nodes print. */
  function* write(fd: number, bytes: Uint8Array, position: number | undefined): Steps<number> {
    if (fd !== 1 && fd !== 2) return yield* calls.write(fd, bytes, position);
    (fd === 1 ? process.stdout : process.stderr).write(bytes);
    return bytes.length;
  }
  return {
    *open(path, flags) {
      return yield* calls.open(pathOf(path), flagsOf(flags, 'r'));
    },
    close: (fd) => calls.close(fd),
    *read(fd, buffer, ...rest): Steps<Transferred> {
      const { view, offset, length, position } = reading(buffer, rest);
      if (length === 0) return { bytes: 0, buffer: readInto(buffer) };
      const bytes = yield* calls.read(fd, length, positionOf(position));
      view.set(bytes, offset);
      return { bytes: bytes.length, buffer: readInto(buffer) };
    },
    *write(fd, data, ...rest): Steps<Transferred> {
      const { bytes, position } = writing(data, rest);
      return { bytes: yield* write(fd, bytes, positionOf(position)), buffer: data };
    },
    *readv(fd, buffers: readonly ArrayBufferView[], position): Steps<Transferred> {
      let [count, at] = [0, positionOf(position)];
      for (const buffer of buffers) {
        const view = bytesOf(buffer, undefined);
        const bytes = yield* calls.read(fd, view.length, at);
        view.set(bytes);
        count += bytes.length;
        if (at !== undefined) at += bytes.length;
        if (bytes.length < view.length) break;
      }
      return { bytes: count, buffer: buffers };
    },
    *writev(fd, buffers: readonly ArrayBufferView[], position): Steps<Transferred> {
      const bytes = Buffer.concat(buffers.map((each) => bytesOf(each, undefined)));
      return { bytes: yield* write(fd, bytes, positionOf(position)), buffer: buffers };
    },
    fsync: (fd) => calls.fsync(fd),
    fdatasync: (fd) => calls.fsync(fd),
    ftruncate: (fd, size = 0) => calls.ftruncate(fd, size),
    *truncate(target, size = 0) {
      if (typeof target === 'number') yield* calls.ftruncate(target, size);
      else yield* recipes.truncate(pathOf(target), size);
    },
    *stat(path, options) {
      const { bigint = false, throwIfNoEntry = true } = optionsOf(options);
      const node = throwIfNoEntry
        ? yield* calls.stat(pathOf(path))
        : yield* recipes.find(pathOf(path));
      return node && new Stats(node, bigint);
    },
    *fstat(fd, options) {
      return new Stats(yield* calls.fstat(fd), optionsOf(options)['bigint'] ?? false);
    },
    *access(path, mode = 0) {
      const node = yield* calls.stat(pathOf(path), 'access');
      if ((mode & constants.X_OK) !== 0 && node.kind === 'file')
        throw fileError('EACCES', 'access', pathOf(path));
    },
    *exists(path) {
      try {
        return (yield* recipes.find(pathOf(path))) !== undefined;
      } catch {
        return false;
      }
    },
    *realpath(path) {
      yield* calls.stat(pathOf(path), 'realpath');
      return pathOf(path);
    },
    rename: (path, to) => calls.rename(pathOf(path), pathOf(to)),
    link: (path, to) => calls.link(pathOf(path), pathOf(to)),
    unlink: (path) => calls.unlink(pathOf(path)),
    rmdir: (path) => calls.rmdir(pathOf(path)),
    *rm(path, options) {
      const { recursive = false, force = false } = optionsOf(options);
      yield* recipes.remove(pathOf(path), recursive, force);
    },
    *mkdir(path, options) {
      const { recursive = false } = typeof options === 'object' && options !== null ? options : {};
      if (recursive) return yield* recipes.makeDirectories(pathOf(path));
      return yield* calls.mkdir(pathOf(path));
    },
    *mkdtemp(prefix) {
      const suffix = Math.floor(random() * 36 ** 6).toString(36);
      const path = pathOf(`${prefix}${suffix.padStart(6, '0')}`, 'prefix');
      yield* calls.mkdir(path);
      return path;
    },
    *readdir(path, options): Steps<unknown[]> {
      const { withFileTypes = false, recursive = false } = optionsOf(options);
      const found: unknown[] = [];
      const add = function* (folder: string, prefix: string): Steps<void> {
        for (const [name, node] of yield* calls.readdir(folder)) {
          found.push(withFileTypes ? new Dirent(name, folder, node) : `${prefix}${name}`);
          if (recursive && node.kind === 'directory')
            yield* add(`${folder}/${name}`, `${prefix}${name}/`);
        }
      };
      yield* add(pathOf(path), '');
      return found;
    },
    *readFile(target, given) {
      const options = optionsOf(given);
      const bytes = yield* recipes.read(targetOf(target), flagsOf(options['flag'], 'r'));
      return encoded(bytes, options);
    },
    *writeFile(target, data, given) {
      const { encoding, flag, flush = false } = optionsOf(given);
      const bytes = bytesOf(data, encoding);
      yield* recipes.write(targetOf(target), bytes, flagsOf(flag, 'w'), flush);
    },
    *appendFile(target, data, given) {
      const { encoding, flag, flush = false } = optionsOf(given);
      const bytes = bytesOf(data, encoding);
      yield* recipes.write(targetOf(target), bytes, flagsOf(flag, 'a'), flush);
    },
    copyFile: (path, to, mode = 0) =>
      recipes.copy(pathOf(path), pathOf(to, 'dest'), (mode & constants.COPYFILE_EXCL) !== 0),
    utimes: (path, _accessed, modified) => calls.utimes(pathOf(path), timeOf(modified)),
    futimes: (fd, _accessed, modified) => calls.utimes(fd, timeOf(modified)),
    // A node has one user, who owns everything.
    chmod: (path) => ignored(calls, path),
    chown: (path) => ignored(calls, path),
    fchmod: (fd) => ignored(calls, fd),
    fchown: (fd) => ignored(calls, fd),
  } satisfies Record<string, Call>;
}

/** The calls of one life of a node, by name. */
export type Calls = ReturnType<typeof createCalls>;

/** The calls as promises, with the arguments of Node. */
export type Promises = { readonly [Name in keyof Calls]: (...args: any[]) => Promise<any> };

/**
 * Parses the arguments of `read` after the file: a buffer and the part of it to fill, or options.
 */
function reading(buffer: unknown, rest: readonly unknown[]) {
  const isOptions = !ArrayBuffer.isView(buffer);
  const options = optionsOf(isOptions ? buffer : typeof rest[0] === 'object' ? rest[0] : undefined);
  const view = bytesOf(isOptions ? options['buffer'] : buffer, undefined);
  const positional = !isOptions && typeof rest[0] !== 'object';
  const offset = Number((positional ? rest[0] : options['offset']) ?? 0);
  const length = Number((positional ? rest[1] : options['length']) ?? view.length - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= view.length))
    throw new RangeError(
      `The "length" of a read must fit the buffer of ${view.length} bytes. Received ${length} at offset ${offset}`,
    );
  return { view, offset, length, position: positional ? rest[2] : options['position'] };
}

function readInto(buffer: unknown): unknown {
  return ArrayBuffer.isView(buffer) ? buffer : optionsOf(buffer)['buffer'];
}

/**
 * Parses the arguments of `write` after the file: a text and its encoding, or a buffer and the part
 * of it to write.
 */
function writing(data: unknown, rest: readonly unknown[]) {
  if (typeof data === 'string') return { bytes: bytesOf(data, rest[1]), position: rest[0] };
  const view = bytesOf(data, undefined);
  const isOptions = typeof rest[0] === 'object' && rest[0] !== null;
  const options = optionsOf(isOptions ? rest[0] : undefined);
  const offset = Number((isOptions ? options['offset'] : rest[0]) ?? 0);
  const length = Number((isOptions ? options['length'] : rest[1]) ?? view.length - offset);
  const position = isOptions ? options['position'] : rest[2];
  if (!(offset >= 0 && length >= 0 && offset + length <= view.length))
    throw invalid('length', `at most the ${view.length} bytes of the buffer`, length);
  return { bytes: view.slice(offset, offset + length), position };
}

function* ignored(calls: FileCalls, target: unknown): Steps<void> {
  if (typeof target === 'number') yield* calls.fstat(target);
  else yield* calls.stat(pathOf(target), 'chmod');
}

/** Returns a time in milliseconds since 1970; if the argument is a number, it is in seconds. */
function timeOf(time: unknown): number {
  return time instanceof Date ? time.getTime() : Number(time) * 1_000;
}

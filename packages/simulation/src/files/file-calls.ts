// The system calls of a simulated file system, as one life of a node makes them: paths, open files,
// and POSIX's rules. Each system call is a sequence of operations, which NodeFiles performs
// immediately or over virtual time.

import { type FileErrorCode, fileError } from './file-error.ts';
import type { DirectoryNode, Edit, FileNode, FileTree, TreeNode } from './file-tree.ts';

/** An operation on the disk. Nothing else happens between its checks and its effect. */
export interface FileOperation {
  /** The name of the system call. */
  readonly call: string;
  readonly path?: string | undefined;
  readonly bytes?: Uint8Array | undefined;
  /**
   * The kind of operation. A 'read' never fails because of the disk; a 'sync' takes the time of a
   * sync.
   */
  readonly kind: 'read' | 'change' | 'sync';
  run(): unknown;
}

/** A sequence of operations: it yields each operation, and gets the result of the operation. */
export type Steps<T> = Generator<FileOperation, T, unknown>;

/** An open file. */
interface OpenFile {
  readonly node: TreeNode;
  readonly path: string;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly appends: boolean;
  position: number;
}

/** The parts of `open`'s flags. */
export interface OpenFlags {
  readonly read: boolean;
  readonly write: boolean;
  readonly append?: boolean | undefined;
  readonly create?: boolean | undefined;
  readonly exclusive?: boolean | undefined;
  readonly truncate?: boolean | undefined;
}

/** The parts of a node that a file system uses. */
export interface FileSurroundings {
  /** The wall clock, in milliseconds since 1970. */
  wall(): number;
  hasRoom(more: number): boolean;
  /** Returns true if a read should find a flipped bit. */
  isRotten(): boolean;
  /**
   * Returns a file of an installed package, which code may read although it is not on the disk of
   * the node; undefined if there is none.
   */
  installed(path: string): TreeNode | undefined;
  /** Called after a name in a directory was changed. */
  onNames(directory: DirectoryNode, name: string): void;
}

/** The system calls. Paths are absolute and normalized. */
export class FileCalls {
  readonly #tree: FileTree;
  readonly #around: FileSurroundings;
  readonly #open = new Map<number, OpenFile>();

  constructor(tree: FileTree, around: FileSurroundings) {
    this.#tree = tree;
    this.#around = around;
  }

  /** The number of open files. */
  get openFiles(): number {
    return this.#open.size;
  }

  *open(path: string, flags: OpenFlags): Steps<number> {
    const isChange = flags.create === true || flags.truncate === true;
    return yield* step(isChange ? 'change' : 'read', 'open', path, () => {
      if (this.#open.size >= MOST_OPEN) throw fileError('EMFILE', 'open', path);
      let node =
        this.#find(path, 'open') ?? (flags.write ? undefined : this.#around.installed(path));
      if (node === undefined) {
        if (flags.create !== true) throw fileError('ENOENT', 'open', path);
        const [directory, name] = this.#parent(path, 'open');
        this.#rename('open', path, [directory, name, (node = this.#tree.file(this.#now()))]);
      } else if (flags.exclusive === true) throw fileError('EEXIST', 'open', path);
      else if (node.kind === 'directory' && flags.write) throw fileError('EISDIR', 'open', path);
      if (flags.truncate === true && node.kind === 'file' && node.live.size > 0)
        this.#tree.resize(node, 0);
      let fd = FIRST_FD;
      while (this.#open.has(fd)) fd++;
      const { read: reads, write: writes, append: appends = false } = flags;
      this.#open.set(fd, { node, path, reads, writes, appends, position: 0 });
      return fd;
    });
  }

  *close(fd: number): Steps<void> {
    yield* step('read', 'close', undefined, () => {
      this.#file(fd, 'close');
      this.#open.delete(fd);
    });
  }

  /**
   * Reads from the given position. Without one, reads from the position of the open file and
   * advances it.
   */
  *read(fd: number, length: number, position: number | undefined): Steps<Uint8Array> {
    return yield* step('read', 'read', undefined, () => {
      const open = this.#file(fd, 'read');
      if (!open.reads) throw fileError('EBADF', 'read');
      const node = contentOf(open.node, 'read');
      const at = position ?? open.position;
      const count = Math.min(length, Math.max(0, node.live.size - at));
      if (count > 0 && this.#around.isRotten()) this.#tree.rot(node, at, count);
      if (position === undefined) open.position += count;
      return node.live.read(at, count);
    });
  }

  *write(fd: number, bytes: Uint8Array, position: number | undefined): Steps<number> {
    return yield* step(
      'change',
      'write',
      undefined,
      () => {
        const open = this.#file(fd, 'write');
        if (!open.writes) throw fileError('EBADF', 'write');
        const node = contentOf(open.node, 'write');
        const at = open.appends ? node.live.size : (position ?? open.position);
        if (!this.#around.hasRoom(at + bytes.length - node.live.size))
          throw fileError('ENOSPC', 'write');
        this.#tree.write(node, at, bytes);
        node.modifiedAt = this.#now();
        if (position === undefined) open.position = at + bytes.length;
        return bytes.length;
      },
      bytes,
    );
  }

  *fsync(fd: number): Steps<void> {
    // The sync covers the changes made until now, not those made while it runs.
    const before = this.#tree.order;
    yield* step('sync', 'fsync', this.#open.get(fd)?.path, () =>
      this.#tree.sync(this.#file(fd, 'fsync').node, before),
    );
  }

  *ftruncate(fd: number, size: number): Steps<void> {
    yield* step('change', 'ftruncate', undefined, () => {
      const { node, writes } = this.#file(fd, 'ftruncate');
      if (!writes || size < 0) throw fileError('EINVAL', 'ftruncate');
      const file = contentOf(node, 'ftruncate');
      if (!this.#around.hasRoom(size - file.live.size)) throw fileError('ENOSPC', 'ftruncate');
      this.#tree.resize(file, size);
      file.modifiedAt = this.#now();
    });
  }

  *stat(path: string, call = 'stat'): Steps<TreeNode> {
    return yield* step('read', call, path, () => this.#existing(path, call));
  }

  *fstat(fd: number): Steps<TreeNode> {
    return yield* step('read', 'fstat', undefined, () => this.#file(fd, 'fstat').node);
  }

  /** Sets the time of a path or an open file, in milliseconds since 1970. It survives a crash. */
  *utimes(path: string | number, modifiedAt: number): Steps<void> {
    const name = typeof path === 'string' ? path : undefined;
    yield* step('read', 'utime', name, () => {
      const node =
        typeof path === 'string' ? this.#existing(path, 'utime') : this.#file(path, 'futime').node;
      node.modifiedAt = modifiedAt;
    });
  }

  *readdir(path: string): Steps<[name: string, node: TreeNode][]> {
    return yield* step('read', 'scandir', path, () => {
      const node = this.#existing(path, 'scandir');
      if (node.kind === 'file') throw fileError('ENOTDIR', 'scandir', path);
      return [...node.live].sort(([a], [b]) => (a < b ? -1 : 1));
    });
  }

  *mkdir(path: string): Steps<void> {
    yield* step('change', 'mkdir', path, () => {
      if (this.#find(path, 'mkdir') !== undefined) throw fileError('EEXIST', 'mkdir', path);
      const [directory, name] = this.#parent(path, 'mkdir');
      this.#rename('mkdir', path, [directory, name, this.#tree.directory(this.#now())]);
    });
  }

  *rmdir(path: string): Steps<void> {
    yield* step('change', 'rmdir', path, () => {
      const node = this.#existing(path, 'rmdir');
      if (node.kind === 'file') throw fileError('ENOTDIR', 'rmdir', path);
      if (node.live.size > 0) throw fileError('ENOTEMPTY', 'rmdir', path);
      this.#rename('rmdir', path, [...this.#parent(path, 'rmdir'), undefined]);
    });
  }

  *unlink(path: string): Steps<void> {
    yield* step('change', 'unlink', path, () => {
      const node = this.#existing(path, 'unlink');
      if (node.kind === 'directory') throw fileError('EISDIR', 'unlink', path);
      this.#rename('unlink', path, [...this.#parent(path, 'unlink'), undefined]);
    });
  }

  *link(path: string, to: string): Steps<void> {
    yield* step('change', 'link', path, () => {
      const node = this.#existing(path, 'link', to);
      const target = this.#parent(to, 'link');
      if (this.#find(to, 'link') !== undefined) throw fileError('EEXIST', 'link', path, to);
      if (node.kind === 'directory') throw fileError('EPERM', 'link', path, to);
      this.#rename('link', to, [...target, node]);
    });
  }

  /** Renames a file or directory. The checks are in the order of Linux. */
  *rename(path: string, to: string): Steps<void> {
    yield* step('change', 'rename', path, () => {
      const fail = (code: FileErrorCode) => fileError(code, 'rename', path, to);
      const from = this.#parent(path, 'rename');
      const target = this.#parent(to, 'rename', path);
      const node = this.#existing(path, 'rename', to);
      const old = this.#find(to, 'rename');
      if (old === node) return;
      if (`${to}/`.startsWith(`${path}/`)) throw fail('EINVAL');
      if (`${path}/`.startsWith(`${to}/`)) throw fail('ENOTEMPTY');
      if (old?.kind === 'directory' && node.kind === 'file') throw fail('EISDIR');
      if (old?.kind === 'file' && node.kind === 'directory') throw fail('ENOTDIR');
      if (old?.kind === 'directory' && old.live.size > 0) throw fail('ENOTEMPTY');
      this.#rename('rename', path, [...from, undefined], [...target, node]);
    });
  }

  #now(): number {
    return this.#around.wall();
  }

  #rename(call: string, path: string, ...edits: readonly Edit[]): void {
    for (const [directory, name] of edits) {
      if (name === '') throw fileError('EPERM', call, path);
      directory.modifiedAt = this.#now();
    }
    this.#tree.rename(...edits);
    for (const [directory, name] of edits) this.#around.onNames(directory, name);
  }

  #file(fd: number, call: string): OpenFile {
    const open = this.#open.get(fd);
    if (open === undefined) throw fileError('EBADF', call);
    return open;
  }

  #existing(path: string, call: string, dest?: string): TreeNode {
    const node = this.#find(path, call) ?? this.#around.installed(path);
    if (node === undefined) throw fileError('ENOENT', call, path, dest);
    return node;
  }

  #find(path: string, call: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.#tree.root;
    for (const name of path.split('/').filter(Boolean)) {
      if (node === undefined) return undefined;
      if (node.kind === 'file') throw fileError('ENOTDIR', call, path);
      node = node.live.get(name);
    }
    return node;
  }

  /** Returns the directory of a path, which must exist, and the last name; '' for the root. */
  #parent(path: string, call: string, from?: string): [directory: DirectoryNode, name: string] {
    const end = path.lastIndexOf('/');
    const directory = this.#find(path.slice(0, end), call);
    const [first, dest] = from === undefined ? [path, undefined] : [from, path];
    if (directory === undefined) throw fileError('ENOENT', call, first, dest);
    if (directory.kind === 'file') throw fileError('ENOTDIR', call, first, dest);
    return [directory, path.slice(end + 1)];
  }
}

/** Yields one operation, and returns its result. */
function* step<T>(
  kind: FileOperation['kind'],
  call: string,
  path: string | undefined,
  run: () => T,
  bytes?: Uint8Array,
): Steps<T> {
  return (yield { kind, call, path, bytes, run }) as T;
}

function contentOf(node: TreeNode, call: string): FileNode {
  if (node.kind === 'directory') throw fileError('EISDIR', call);
  return node;
}

/** The number of the first open file; lower numbers are the standard streams. */
const FIRST_FD = 3;
/** Maximum number of files that a life of a node may have open; opening more fails with EMFILE. */
const MOST_OPEN = 1_024;

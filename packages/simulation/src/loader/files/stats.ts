// The results of `stat` and `readdir` of a simulated file system.

import type { TreeNode } from '../../files/file-tree.ts';

/** The kind of an entry: a file or a directory. */
class Kind {
  readonly #isFile: boolean;

  constructor({ kind }: TreeNode) {
    this.#isFile = kind === 'file';
  }

  isFile(): boolean {
    return this.#isFile;
  }

  isDirectory(): boolean {
    return !this.#isFile;
  }

  isSymbolicLink(): boolean {
    return false;
  }

  isBlockDevice(): boolean {
    return false;
  }

  isCharacterDevice(): boolean {
    return false;
  }

  isFIFO(): boolean {
    return false;
  }

  isSocket(): boolean {
    return false;
  }
}

/** The metadata of a file or directory, as `fs.Stats`. */
export class Stats extends Kind {
  readonly dev: number | bigint;
  readonly ino: number | bigint;
  readonly mode: number | bigint;
  readonly nlink: number | bigint;
  readonly uid: number | bigint;
  readonly gid: number | bigint;
  readonly rdev: number | bigint;
  readonly size: number | bigint;
  readonly blksize: number | bigint;
  readonly blocks: number | bigint;
  readonly atimeMs: number | bigint;
  readonly mtimeMs: number | bigint;
  readonly ctimeMs: number | bigint;
  readonly birthtimeMs: number | bigint;
  readonly atime: Date;
  readonly mtime: Date;
  readonly ctime: Date;
  readonly birthtime: Date;

  constructor(node: TreeNode, isBig: boolean) {
    super(node);
    const number = (value: number) => (isBig ? BigInt(Math.floor(value)) : value);
    const size = node.kind === 'file' ? node.live.size : BLOCK;
    this.dev = this.nlink = number(1);
    this.uid = this.gid = this.rdev = number(0);
    this.ino = number(node.id);
    this.mode = number(node.kind === 'file' ? 0o100_644 : 0o040_755);
    this.size = number(size);
    this.blksize = number(BLOCK);
    this.blocks = number(Math.ceil(size / 512));
    this.atimeMs = this.mtimeMs = this.ctimeMs = number(node.modifiedAt);
    this.birthtimeMs = number(node.createdAt);
    this.atime = this.mtime = this.ctime = new Date(node.modifiedAt);
    this.birthtime = new Date(node.createdAt);
  }
}

/** An entry of a directory, as `fs.Dirent`. */
export class Dirent extends Kind {
  readonly name: string;
  readonly parentPath: string;
  readonly path: string;

  constructor(name: string, directory: string, node: TreeNode) {
    super(node);
    this.name = name;
    this.parentPath = this.path = directory;
  }
}

/** Size of a block in bytes. */
const BLOCK = 4_096;

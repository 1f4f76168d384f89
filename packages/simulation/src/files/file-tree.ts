// The files and directories of a simulated disk: the state that the running node sees, the durable
// state, and the changes between the two. A crash restores the durable state.

import type { Disk, DiskFiles } from '../nodes/node-store.ts';
import { survivors } from '../nodes/survivors.ts';
import { FileBytes } from './file-bytes.ts';

/** A file, which may have several names or, while it is open, none. */
export interface FileNode extends NodeTimes {
  readonly kind: 'file';
  readonly live: FileBytes;
  readonly durable: FileBytes;
}

/** A directory, with the names that it contains. */
export interface DirectoryNode extends NodeTimes {
  readonly kind: 'directory';
  live: Map<string, TreeNode>;
  readonly durable: Map<string, TreeNode>;
}

export type TreeNode = FileNode | DirectoryNode;

/**
 * The number of a file or directory, and its times in milliseconds since 1970. An installed file is
 * not on the disk and has the number 0.
 */
interface NodeTimes {
  readonly id: number;
  readonly createdAt: number;
  modifiedAt: number;
}

/**
 * A change of one name in a directory: the name, and the node that it should refer to; undefined
 * removes the name.
 */
export type Edit = readonly [directory: DirectoryNode, name: string, node: TreeNode | undefined];

/** A change that is not durable yet. */
type Change = { readonly order: number } & (
  | {
      readonly kind: 'write';
      readonly file: FileNode;
      readonly at: number;
      readonly bytes: Uint8Array;
      /** Minimum size of the file after the change. */
      readonly end: number;
    }
  | { readonly kind: 'resize'; readonly file: FileNode; readonly size: number }
  /** Edits that take effect together, because a rename is never half done. */
  | { readonly kind: 'names'; readonly edits: readonly Edit[] }
);

/** All files of a disk, through all lives of its node. */
export class FileTree implements DiskFiles {
  readonly root: DirectoryNode;
  readonly #disk: Disk;
  #unsafe: Change[] = [];
  #orders = 0;
  #ids = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
    this.root = this.directory(0);
    const tmp = this.directory(0);
    this.root.live.set('tmp', tmp);
    this.root.durable.set('tmp', tmp);
  }

  file(now: number): FileNode {
    const [live, durable] = [new FileBytes(), new FileBytes()];
    return { kind: 'file', id: ++this.#ids, live, durable, createdAt: now, modifiedAt: now };
  }

  directory(now: number): DirectoryNode {
    const [live, durable] = [new Map<string, TreeNode>(), new Map<string, TreeNode>()];
    return { kind: 'directory', id: ++this.#ids, live, durable, createdAt: now, modifiedAt: now };
  }

  /** The number of the next change. */
  get order(): number {
    return this.#orders;
  }

  /** The size of all files that have a name, each counted once. */
  get bytes(): number {
    const files = new Set<FileNode>();
    eachOf(
      this.root,
      (node) => node.live,
      (node) => void (node.kind === 'file' && files.add(node)),
    );
    return [...files].reduce((sum, { live }) => sum + live.size, 0);
  }

  write(file: FileNode, at: number, bytes: Uint8Array): void {
    file.live.write(at, bytes);
    this.#add({ kind: 'write', file, at, bytes: bytes.slice(), end: at + bytes.length });
  }

  resize(file: FileNode, size: number): void {
    file.live.resize(size);
    this.#add({ kind: 'resize', file, size });
  }

  /** Changes names of directories, all at once. */
  rename(...edits: readonly Edit[]): void {
    for (const [directory, name, node] of edits) edit(directory.live, name, node);
    this.#add({ kind: 'names', edits });
  }

  /**
   * Makes those changes of a file or directory durable that have a number below `before`. With the
   * disk option `journal`, it also makes all earlier changes of names durable, in any directory.
   */
  sync(node: TreeNode, before: number): void {
    const directories = node.kind === 'directory' ? this.#renamedWith(node) : NONE;
    const isSynced = (change: Change): boolean =>
      change.order < before &&
      (change.kind === 'names'
        ? this.#disk.settings.journal || change.edits.some(([each]) => directories.has(each))
        : change.file === node);
    this.#settle(isSynced);
  }

  /** Flips a random bit among bytes of a file, as a decaying disk does. */
  rot(file: FileNode, at: number, length: number): void {
    const { random } = this.#disk;
    const bit = Math.floor(random() * length * 8);
    const position = at + (bit >> 3);
    const before = file.live.at(position)!;
    const rotten = new Uint8Array([before ^ (1 << (bit & 7))]);
    file.live.write(position, rotten);
    // Only data that has been written to the disk can decay there.
    if (file.durable.at(position) === before) file.durable.write(position, rotten);
  }

  crash(): void {
    const { settings, random } = this.#disk;
    const shares = { ...settings, torn: Math.max(settings.torn, settings.tornFiles) };
    for (const change of survivors(this.#unsafe, shares, random, (last) => this.#torn(last)))
      apply(change);
    this.#unsafe = [];
    eachOf(
      this.root,
      (node) => node.durable,
      (node) => {
        if (node.kind === 'file') node.live.copy(node.durable);
        else node.live = new Map(node.durable);
      },
    );
  }

  #add(change: DistributiveOmit<Change, 'order'>): void {
    this.#unsafe.push({ ...change, order: this.#orders++ } as Change);
    if (this.#unsafe.length <= MOST_UNSAFE) return;
    const until = this.#unsafe[MOST_UNSAFE >> 1]!.order;
    this.#settle(({ order }) => order < until);
  }

  #settle(isSynced: (change: Change) => boolean): void {
    this.#unsafe = this.#unsafe.filter((change) => {
      if (!isSynced(change)) return true;
      apply(change);
      return false;
    });
  }

  /**
   * Returns the directory and all directories that unsynced renames connect with it. A rename is
   * atomic, so it is durable in both of its directories or in neither.
   */
  #renamedWith(directory: DirectoryNode): ReadonlySet<DirectoryNode> {
    const connected = new Set([directory]);
    for (let size = 0; size < connected.size; ) {
      size = connected.size;
      for (const change of this.#unsafe)
        if (change.kind === 'names' && change.edits.some(([each]) => connected.has(each)))
          for (const [each] of change.edits) connected.add(each);
    }
    return connected;
  }

  /**
   * Returns the last write before a crash as a torn one: only its first bytes reach the disk, but
   * the file has the new size.
   */
  #torn(change: Change): Change {
    if (change.kind !== 'write') return change;
    const written = Math.floor(this.#disk.random() * change.bytes.length);
    return { ...change, bytes: change.bytes.subarray(0, written) };
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function apply(change: Change): void {
  if (change.kind === 'names')
    for (const [directory, name, node] of change.edits) edit(directory.durable, name, node);
  else if (change.kind === 'resize') change.file.durable.resize(change.size);
  else {
    const { durable } = change.file;
    if (durable.size < change.end) durable.resize(change.end);
    durable.write(change.at, change.bytes);
  }
}

function edit(names: Map<string, TreeNode>, name: string, node: TreeNode | undefined): void {
  if (node === undefined) names.delete(name);
  else names.set(name, node);
}

/** Visits a directory and everything below it. Directories are visited before their content. */
function eachOf(
  directory: DirectoryNode,
  namesOf: (directory: DirectoryNode) => ReadonlyMap<string, TreeNode>,
  visit: (node: TreeNode) => void,
): void {
  visit(directory);
  for (const node of namesOf(directory).values())
    if (node.kind === 'directory') eachOf(node, namesOf, visit);
    else visit(node);
}

const NONE: ReadonlySet<DirectoryNode> = new Set();
/**
 * Maximum number of unsynced changes that a disk keeps. Beyond it, the older half becomes durable,
 * as an operating system writes back data that has waited for a long time.
 */
const MOST_UNSAFE = 20_000;

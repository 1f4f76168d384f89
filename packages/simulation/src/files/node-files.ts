// The file system of one life of a node: it performs system calls with the latency and the faults
// of the node's disk, and records them in the trace.

import { draw } from '../kernel/distributions.ts';
import type { EventLoop } from '../kernel/event-loop.ts';
import type { EventOwner } from '../kernel/event-queue.ts';
import { checksum, pair, TraceKind } from '../kernel/trace.ts';
import { diskAccessOf } from '../nodes/disk-access.ts';
import type { NodeContext } from '../nodes/node-context.ts';
import type { Disk } from '../nodes/node-store.ts';
import { FileCalls, type FileOperation, type Steps } from './file-calls.ts';
import { fileError } from './file-error.ts';
import { type DirectoryNode, FileTree, type TreeNode } from './file-tree.ts';

/** Receives the names that change in a directory. */
export type NameListener = (name: string) => void;

/** The file system of one life of a node. */
export class NodeFiles {
  readonly calls: FileCalls;
  /** Number of calls that have not completed yet. */
  pending = 0;
  readonly #loop: EventLoop;
  readonly #owner: EventOwner;
  readonly #disk: Disk;
  readonly #listeners = new Map<DirectoryNode, Set<NameListener>>();

  /**
   * @param installed returns a file of an installed package, for paths that are not on the disk.
   * @throws TypeError if the context is not that of a simulated node.
   */
  constructor(context: NodeContext, installed: (path: string) => TreeNode | undefined) {
    const { loop, owner, disk, watch } = diskAccessOf(context);
    this.#loop = loop;
    this.#owner = owner;
    this.#disk = disk;
    const tree = (disk.files ??= new FileTree(disk)) as FileTree;
    this.calls = new FileCalls(tree, {
      wall: () => context.clock.wall(),
      hasRoom: (more) => disk.hasRoom(more),
      isRotten: () => disk.settings.rot > 0 && disk.random() < disk.settings.rot,
      installed,
      onNames: (directory, name) => this.#tell(directory, name),
    });
    watch(this);
  }

  /** The number of open files. */
  get openFiles(): number {
    return this.calls.openFiles;
  }

  /**
   * Performs calls one after the other, each at the end of its latency, and resolves to their
   * result. Never settles once the node has crashed.
   */
  async perform<T>(steps: Steps<T>): Promise<T> {
    let next = steps.next();
    while (next.done !== true) {
      let result: unknown;
      try {
        result = await this.#later(next.value);
      } catch (error) {
        next = steps.throw(error);
        continue;
      }
      next = steps.next(result);
    }
    return next.value;
  }

  /**
   * Performs calls synchronously. They stop the event loop of the node for as long as they take.
   * Once the node has crashed, they throw an error with the code EIO.
   */
  performSync<T>(steps: Steps<T>): T {
    let next = steps.next();
    while (next.done !== true) {
      let result: unknown;
      try {
        result = this.#atOnce(next.value);
      } catch (error) {
        next = steps.throw(error);
        continue;
      }
      next = steps.next(result);
    }
    return next.value;
  }

  /**
   * Calls `listener` after each change of a name in a directory, in an event of its own, until the
   * returned function is called. Changes before that may still be reported after it.
   */
  listen(directory: DirectoryNode, listener: NameListener): () => void {
    let listeners = this.#listeners.get(directory);
    if (listeners === undefined) this.#listeners.set(directory, (listeners = new Set()));
    const own = listeners;
    own.add(listener);
    return () => {
      // A second call must not remove the set of listeners that came later.
      if (own.delete(listener) && own.size === 0) this.#listeners.delete(directory);
    };
  }

  /** Lets the streams of Node, which use their own ticks, run before time advances. */
  useTicks(): void {
    this.#loop.usesTicks = true;
  }

  #later(operation: FileOperation): Promise<unknown> {
    const fails = this.#fails(operation);
    return new Promise((resolve, reject) => {
      if (!this.#owner.alive) return;
      this.pending++;
      const done = () => {
        this.pending--;
        try {
          resolve(this.#run(operation, fails));
        } catch (error) {
          reject(error);
        }
      };
      this.#loop.schedule(this.#latency(operation), 'store', this.#owner, done);
    });
  }

  #atOnce(operation: FileOperation): unknown {
    const owner = this.#owner;
    if (!owner.alive) throw fileError('EIO', operation.call, operation.path);
    const latency = this.#latency(operation);
    if (latency > 0) owner.busyUntil = Math.max(owner.busyUntil, this.#loop.now) + latency;
    return this.#run(operation, this.#fails(operation));
  }

  #run({ call, path, bytes, run }: FileOperation, fails: boolean): unknown {
    const { trace } = this.#loop;
    const check =
      checksum(encoder.encode(path ?? '')) ^ (bytes === undefined ? 0 : checksum(bytes));
    const names = pair(this.#owner.number, 0);
    trace.record(TraceKind.stored, names, trace.number(`fs.${call}`), bytes?.length ?? 0, check);
    this.#loop.touch();
    if (fails) throw fileError('EIO', call, path);
    return run();
  }

  #fails({ kind }: FileOperation): boolean {
    const { failure } = this.#disk.settings;
    return kind !== 'read' && failure > 0 && this.#disk.random() < failure;
  }

  #latency({ kind }: FileOperation): number {
    const { latency, sync } = this.#disk.settings;
    return draw(kind === 'sync' ? sync : latency, this.#disk.random);
  }

  #tell(directory: DirectoryNode, name: string): void {
    for (const listener of this.#listeners.get(directory) ?? [])
      this.#loop.schedule(0, 'task', this.#owner, () => listener(name));
  }
}

const encoder = new TextEncoder();

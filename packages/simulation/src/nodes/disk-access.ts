// The way from a node's context to its disk, for the file system of the loader. The context itself
// shows only the key-value store.

import type { EventLoop } from '../kernel/event-loop.ts';
import type { EventOwner } from '../kernel/event-queue.ts';
import type { NodeContext } from './node-context.ts';
import type { Disk } from './node-store.ts';

/** Counts the open resources of a file system, for the report of leaks. */
export interface OpenFiles {
  /** The number of calls that have not completed yet. */
  readonly pending: number;
  /** The number of open files. */
  readonly openFiles: number;
}

/** The disk of a node, the parts that work on it, and the life that uses it. */
export interface DiskAccess {
  readonly loop: EventLoop;
  readonly owner: EventOwner;
  readonly disk: Disk;
  /** Makes the node report resources that a file system leaves open when the node stops. */
  watch(files: OpenFiles): void;
  /** Calls `end` when the life of the node ends; never, if it has ended already. */
  whenEnded(end: () => void): void;
}

const accesses = new WeakMap<NodeContext, DiskAccess>();

/** Gives a context access to the disk of its node. */
export function provideDiskAccess(context: NodeContext, access: DiskAccess): void {
  accesses.set(context, access);
}

/**
 * Returns the access to the disk of a node.
 *
 * @throws TypeError if no simulation created the context.
 */
export function diskAccessOf(context: NodeContext): DiskAccess {
  const access = accesses.get(context);
  if (access !== undefined) return access;
  throw new TypeError(
    'the file system of a node needs the context that the simulation passes to its setup, not a copy of it',
  );
}

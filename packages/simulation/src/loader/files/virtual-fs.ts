// The modules `node:fs` and `node:fs/promises` of one life of a node: the same calls with
// callbacks, synchronously, and as promises, on the node's simulated disk.

import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import realFs from 'node:fs';
import { promisify } from 'node:util';
import { fileError } from '../../files/file-error.ts';
import type { TreeNode } from '../../files/file-tree.ts';
import { NodeFiles } from '../../files/node-files.ts';
import type { NodeContext } from '../../nodes/node-context.ts';
import { invalid, pathOf } from './arguments.ts';
import { type Call, type Calls, createCalls, type Promises, type Transferred } from './calls.ts';
import { FileHandle } from './file-handle.ts';
import { installedFile } from './installed-file.ts';
import { Dirent, Stats } from './stats.ts';
import { streamClasses } from './streams.ts';

/**
 * Returns the file system of a node as the module `node:fs`, with its `promises`. Data that it
 * writes is on the disk of the node and survives a crash if it was synced. Each call with the same
 * context returns the same object.
 *
 * @throws TypeError if the context is not that of a simulated node.
 */
export function fileSystem(context: NodeContext): typeof import('node:fs') {
  let module = modules.get(context);
  if (module === undefined) modules.set(context, (module = createModule(context)));
  return module as never;
}

const modules = new WeakMap<NodeContext, object>();

function createModule(context: NodeContext): object {
  const installed = new Map<string, TreeNode | undefined>();
  const files = new NodeFiles(context, (path) => installedFile(path, installed));
  const calls = createCalls(files.calls, context.random);
  const source = { files, calls };
  const classes = streamClasses(source);
  const streams = {
    createReadStream: (path: unknown, options?: unknown) => new classes.ReadStream(path, options),
    createWriteStream: (path: unknown, options?: unknown) => new classes.WriteStream(path, options),
  };
  const own: Record<string, unknown> = {
    ...streams,
    ...classes,
    Dirent,
    Stats,
    constants: realFs.constants,
  };
  for (const name of ['F_OK', 'R_OK', 'W_OK', 'X_OK'] as const) own[name] = realFs.constants[name];
  const promises = promisesOf(files, calls, streams);
  for (const [name, call] of Object.entries<Call>(calls)) {
    own[name] = withCallback(name, context, promises[name] as Promises['open']);
    own[`${name}Sync`] = (...args: unknown[]) => countOf(name, files.performSync(call(...args)));
  }
  own['lstat'] = own['stat'];
  own['lstatSync'] = own['statSync'];
  own['lchown'] = own['chown'];
  own['lutimes'] = own['utimes'];
  Object.assign(own['realpath'] as object, { native: own['realpath'] });
  Object.assign(own['realpathSync'] as object, { native: own['realpathSync'] });
  const open: Call = calls.open;
  own['open'] = withCallback('open', context, (...args) => files.perform(open(...args)));
  own['watch'] = (path: unknown, ...rest: unknown[]) => watch(files, path, rest);
  own['promises'] = withRefusals(promises, realFs.promises, 'fs.promises');
  return withRefusals(own, realFs, 'fs');
}

/** Creates the module `node:fs/promises`. */
function promisesOf(
  files: NodeFiles,
  calls: Calls,
  streams: ConstructorParameters<typeof FileHandle>[1],
): Record<string, unknown> {
  const own: Record<string, unknown> = { constants: realFs.constants };
  for (const [name, call] of Object.entries<Call>(calls))
    own[name] = async (...args: unknown[]) => {
      const result = await files.perform(call(...args));
      const counted = COUNTED[name];
      if (counted === undefined) return result;
      const { bytes, buffer } = result as Transferred;
      return { [counted.count]: bytes, [counted.buffer]: buffer };
    };
  const plain = { ...own } as unknown as Promises;
  own['lstat'] = own['stat'];
  own['lchown'] = own['chown'];
  own['lutimes'] = own['utimes'];
  own['open'] = async (...args: unknown[]) =>
    new FileHandle(plain, streams, (await plain.open(...args)) as number);
  return own;
}

/** Creates the version of a call that takes a callback, and that `util.promisify` understands. */
function withCallback(
  name: string,
  { clock }: NodeContext,
  promise: (...args: any[]) => Promise<any>,
): unknown {
  const call = (...args: unknown[]): void => {
    const given = args.pop();
    if (typeof given !== 'function') throw invalid('cb', 'a function', given);
    const callback = AsyncResource.bind(given as (...values: unknown[]) => unknown);
    // The callback runs in the name of the node after the current code has finished, so its errors
    // are the node's.
    const answer = (...values: unknown[]) => clock.defer(() => callback(...values));
    promise(...args).then(
      (result) => {
        const counted = COUNTED[name];
        if (name === 'exists') answer(result);
        else if (counted === undefined) answer(null, result);
        else answer(null, result[counted.count], result[counted.buffer]);
      },
      (error) => answer(error),
    );
  };
  if (name in COUNTED || name === 'exists')
    Object.defineProperty(call, promisify.custom, { value: promise });
  return call;
}

/** Watches the names in a directory, as `fs.watch` does. */
function watch(files: NodeFiles, path: unknown, rest: readonly unknown[]): unknown {
  const node = files.performSync(files.calls.stat(pathOf(path), 'watch'));
  if (node.kind === 'file') throw fileError('ENOTDIR', 'watch', pathOf(path));
  const watcher = new EventEmitter();
  const listener = rest.find((each) => typeof each === 'function');
  if (listener !== undefined) watcher.on('change', listener as () => void);
  const stop = files.listen(node, (name) => watcher.emit('change', 'rename', name));
  const close = () => {
    stop();
    watcher.emit('close');
  };
  return Object.assign(watcher, { close, ref: () => watcher, unref: () => watcher });
}

/**
 * Adds functions for the calls of Node that are missing here. They throw instead of reaching the
 * real disk.
 */
function withRefusals(own: Record<string, unknown>, real: object, module: string): object {
  for (const [name, value] of Object.entries(real))
    if (typeof value === 'function' && !(name in own))
      own[name] = () => {
        throw new Error(`${module}.${name}() is not available in a simulated node`);
      };
  return own;
}

/** Returns the result of a synchronous call: `read` and `write` return only the number of bytes. */
function countOf(name: string, result: unknown): unknown {
  return name in COUNTED ? (result as Transferred).bytes : result;
}

/** The calls whose results consist of a number of bytes and a buffer, with the names of both. */
const COUNTED: Readonly<Record<string, { readonly count: string; readonly buffer: string }>> = {
  read: { count: 'bytesRead', buffer: 'buffer' },
  write: { count: 'bytesWritten', buffer: 'buffer' },
  readv: { count: 'bytesRead', buffer: 'buffers' },
  writev: { count: 'bytesWritten', buffer: 'buffers' },
};

// The loader: it gives each node of a simulation its own instances of packages that were not
// written for it, with the node's time and randomness instead of the machine's.

import { fileURLToPath } from 'node:url';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import type { NodeContext } from '../nodes/node-context.ts';
import { CompiledFiles } from './compiled-files.ts';
import { machinePath } from './machine-paths.ts';
import { ModuleGraph } from './module-graph.ts';

/** Options of {@link createLoader}. */
export interface LoaderOptions {
  /**
   * Names of packages of which all nodes share the program's instance, instead of having separate
   * instances; a name that ends in `*` stands for all names that begin with the part before it.
   * Their code sees the real globals. Default: `['trunkline', '@trunkline/*']`.
   */
  readonly shared?: readonly string[] | undefined;
}

/**
 * Imports a module for a node, as `import()` would in the file for which the loader was created,
 * and resolves to its namespace. Later calls with the same context return the same instance; a node
 * that restarts gets a new one, as a process does.
 *
 * Rejects with a TypeError if the specifier is no string or the context is a copy, with Node's
 * error if there is no such module, with an Error that names the file if it does not compile or is
 * native code, and with the error that the code of a module throws.
 */
export type Load = <T = any>(context: NodeContext, specifier: string) => Promise<T>;

/**
 * Creates a loader. `from` is the file whose imports it resolves, usually `import.meta.url`. Each
 * file is read and compiled once for all nodes.
 *
 * @throws TypeError if an argument is invalid.
 */
export function createLoader(from: string | URL, options: LoaderOptions = {}): Load {
  const parent = pathOf(from);
  const isShared = sharedBy(options);
  const files = new CompiledFiles();
  const graphs = new WeakMap<NodeContext, ModuleGraph>();
  return async (context, specifier) => {
    if (typeof specifier !== 'string')
      throw new TypeError(`loader: the specifier must be a string, got ${String(specifier)}`);
    let graph = graphs.get(context);
    if (graph === undefined)
      graphs.set(context, (graph = new ModuleGraph(files, context, isShared)));
    return (await graph.import(specifier, parent)) as any;
  };
}

function pathOf(from: string | URL): string {
  try {
    return machinePath(fileURLToPath(from));
  } catch (error) {
    throw new TypeError(
      `createLoader: from must be the URL of a file, such as import.meta.url, got ${String(from)}`,
      { cause: error },
    );
  }
}

function sharedBy(options: LoaderOptions): (name: string) => boolean {
  refuseUnknown(options, 'createLoader', ['shared']);
  const { shared = ['trunkline', '@trunkline/*'] } = options;
  if (!Array.isArray(shared) || !shared.every((name) => typeof name === 'string'))
    throw new TypeError(
      `createLoader: shared: must be a list of names of packages, got ${String(shared)}`,
    );
  return (name) =>
    shared.some((each) =>
      each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each,
    );
}

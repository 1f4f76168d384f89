// Files of installed packages. Code may read the files of its own package, which are on the machine
// rather than on a node's disk.

import { readFileSync } from 'node:fs';
import { FileBytes } from '../../files/file-bytes.ts';
import type { TreeNode } from '../../files/file-tree.ts';
import { machinePath } from '../machine-paths.ts';

/**
 * Returns a read-only file below a folder `node_modules` of the machine; undefined if there is
 * none. `known` caches the results.
 */
export function installedFile(
  path: string,
  known: Map<string, TreeNode | undefined>,
): TreeNode | undefined {
  if (!path.includes('/node_modules/')) return undefined;
  if (known.has(path)) return known.get(path);
  const node = read(path);
  known.set(path, node);
  return node;
}

function read(path: string): TreeNode | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(machinePath(path));
  } catch {
    return undefined;
  }
  const [live, durable] = [new FileBytes(), new FileBytes()];
  live.write(0, bytes);
  return { kind: 'file', id: 0, live, durable, createdAt: 0, modifiedAt: 0 };
}

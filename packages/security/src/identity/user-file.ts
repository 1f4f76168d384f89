// Files that users name: checks their paths, and reads them with care.

import type { Stats } from 'node:fs';
import { TransportError } from '@trunkline/transport-core';
import { readRegular } from '@trunkline/transport-core/node';

/** Throws a TypeError that names `caller` if `path` cannot be a path. */
export function checkPath(path: string, caller: string): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return;
  throw new TypeError(
    `${caller}: path: must be the path of a file, got ${typeof path === 'string' ? JSON.stringify(path) : typeof path}`,
  );
}

/**
 * Reads a regular file of at most 1 MiB; symbolic links are followed. `check` sees the very file
 * that is then read, so nobody can replace the file in between. Rejects with `invalid_argument` for
 * a folder, a pipe, a device or a file that is too large; with what `check` throws; otherwise with
 * the errors of node:fs, which the caller passes to `fileError`.
 */
export async function readTextFile(
  path: string,
  caller: string,
  check: (stats: Stats) => void = () => {},
): Promise<string> {
  const bytes = await readRegular(path, (stats) => {
    if (!stats.isFile()) throw wrong(caller, path, 'is not a regular file; give the path of one');
    if (stats.size > LARGEST)
      throw wrong(
        caller,
        path,
        `has ${stats.size} bytes, but a PEM file may have at most ${LARGEST}; correct the path`,
      );
    check(stats);
    return LARGEST;
  });
  return new TextDecoder().decode(bytes);
}

function wrong(caller: string, path: string, problem: string): TransportError {
  return new TransportError('invalid_argument', `${caller}: ${path} ${problem}`, { target: path });
}

/** Maximum size of a file, in bytes: 1 MiB. */
const LARGEST = 1_048_576;

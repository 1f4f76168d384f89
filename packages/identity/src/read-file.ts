// Reads text files from users with care.

import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TransportError } from '@trunkline/transport-core';

/**
 * Reads a regular file of at most 1 MiB; symbolic links are followed. `check` sees the very file
 * that is then read, so nobody can replace the file in between. Rejects with `invalid_argument` for
 * a folder, a pipe, a device or a file that is too large, otherwise with the errors of node:fs.
 */
export async function readTextFile(
  path: string,
  caller: string,
  check: (stats: Stats) => void = () => {},
): Promise<string> {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw wrong(caller, path, 'is no regular file; give the path of one');
    if (stats.size > LARGEST)
      throw wrong(
        caller,
        path,
        `has ${stats.size} bytes, and a file of PEM at most ${LARGEST}; correct the path`,
      );
    check(stats);
    return await readAll(handle);
  } finally {
    await handle.close();
  }
}

/** Reads at most the limit, even if the file grows meanwhile. */
async function readAll(handle: FileHandle): Promise<string> {
  const bytes = new Uint8Array(LARGEST);
  let length = 0;
  while (length < LARGEST) {
    const { bytesRead } = await handle.read(bytes, length, LARGEST - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}

function wrong(caller: string, path: string, problem: string): TransportError {
  return new TransportError('invalid_argument', `${caller}: ${path} ${problem}`, { target: path });
}

const LARGEST = 1_048_576;

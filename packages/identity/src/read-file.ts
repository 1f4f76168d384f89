// A file of text that somebody made, read with care.

import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TransportError } from '@trunkline/transport-core';

/**
 * The text of a regular file of at most 1 MiB; symbolic links are followed. `check` sees the very file that is then read: none can be
 * put in its place in between. `invalid_argument` for a folder, a pipe or a device, and for a file that is too large; else node:fs's errors.
 */
export async function readTextFile(path: string, caller: string, check: (stats: Stats) => void = () => {}): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // A pipe would keep us waiting for a writer.
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw wrong(caller, path, 'is no regular file; give the path of one');
    if (stats.size > LARGEST) throw wrong(caller, path, `has ${stats.size} bytes, and a file of PEM at most ${LARGEST}; correct the path`);
    check(stats);
    return await readAll(handle);
  } finally {
    await handle.close();
  }
}

/** No more than the limit, also of a file that grows meanwhile. */
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

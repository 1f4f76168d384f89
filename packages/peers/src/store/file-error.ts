// Translates file system error codes to ours, with advice for each.

import { type Code, TransportError } from '@trunkline/transport-core';

/**
 * Converts an error of node:fs to a TransportError that names the path and the `kind` of thing that
 * is kept there. The original is its `cause`.
 */
export function fileError(error: unknown, path: string, kind = 'address book'): TransportError {
  if (error instanceof TransportError) return error;
  const code = codeOf(error) ?? 'no code';
  const [as, text] = MEANINGS[code] ?? ['unknown', 'the system failed'];
  return new TransportError(as, `${kind}: ${path}: ${text} (${code})`, {
    target: path,
    cause: error,
  });
}

/** Returns the `code` of an error, such as 'ENOENT'. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Ignores ENOENT and rethrows anything else; for removing files that may be gone already. */
export function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

/**
 * Returns whether the error means that the path can never be an address book, whatever happens to
 * the disk.
 */
export function isMisplaced(error: TransportError): boolean {
  return error.code === 'not_found' || error.code === 'invalid_argument';
}

const NO_ROOM: [Code, string] = ['resource_exhausted', 'there is no room left; make some'];
const NO_FILES: [Code, string] = [
  'resource_exhausted',
  'too many files are open; raise the limit (ulimit -n)',
];
const FORBIDDEN: [Code, string] = [
  'permission_denied',
  'this user may not; look at the owner and mode of the file and its folder (ls -la)',
];

const MEANINGS: Record<string, [Code, string]> = {
  ENOENT: ['not_found', "its folder does not exist; make it ('mkdir -p'), or correct the path"],
  ENOTDIR: ['invalid_argument', 'a part of the path is no folder; correct the path'],
  EISDIR: ['invalid_argument', 'it is a folder; give the path of a file in it'],
  ENAMETOOLONG: ['invalid_argument', 'the path is too long; give a shorter one'],
  ELOOP: ['invalid_argument', 'its symbolic links lead in a circle; correct them'],
  ENXIO: ['invalid_argument', 'it is no regular file; give the path of one'],
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: ['permission_denied', 'the file system is read-only; give a path on another'],
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  EFBIG: NO_ROOM,
  EMFILE: NO_FILES,
  ENFILE: NO_FILES,
  EIO: ['data_loss', 'the disk failed; look at it'],
  EBUSY: ['unavailable', 'something else has hold of it; try again'],
};

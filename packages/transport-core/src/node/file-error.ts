// Translates file system error codes to ours, with advice for each.

import { type ErrorCode, TransportError } from '@trunkline/transport-core';

/**
 * Converts an error of node:fs to a TransportError whose message begins with `subject` and the
 * path. The original is its `cause`. A TransportError is returned unchanged.
 *
 * @param subject the kind of object that the file holds, or the function that was called.
 * @param action the failed action, on which the advice for a missing file depends.
 */
export function fileError(
  error: unknown,
  subject: string,
  path: string,
  action: 'read' | 'write' = 'write',
): TransportError {
  if (error instanceof TransportError) return error;
  const code = systemErrorCode(error) ?? 'no code';
  const [as, text] =
    code === 'ENOENT' ? MISSING[action] : (MEANINGS[code] ?? ['unknown', 'the system failed']);
  return new TransportError(as, `${subject}: ${path}: ${text} (${code})`, {
    target: path,
    cause: error,
  });
}

/** Returns the `code` of an error, such as 'ENOENT'; undefined if it has none. */
export function systemErrorCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Ignores ENOENT and rethrows anything else; for removing files that may be gone already. */
export function ignoreMissing(error: unknown): void {
  if (systemErrorCode(error) !== 'ENOENT') throw error;
}

const MISSING: Record<'read' | 'write', [ErrorCode, string]> = {
  read: ['not_found', 'no such file; save one at this path first, or correct the path'],
  write: ['not_found', "its folder does not exist; make it ('mkdir -p'), or correct the path"],
};
const NO_ROOM: [ErrorCode, string] = ['resource_exhausted', 'there is no room left; make some'];
const NO_FILES: [ErrorCode, string] = [
  'resource_exhausted',
  'too many files are open; raise the limit (ulimit -n)',
];
const FORBIDDEN: [ErrorCode, string] = [
  'permission_denied',
  'this user may not; look at the owner and mode of the file and its folder (ls -la)',
];

const MEANINGS: Record<string, [ErrorCode, string]> = {
  ENOTDIR: ['invalid_argument', 'a part of the path is no folder; correct the path'],
  EISDIR: ['invalid_argument', 'it is a folder; give the path of a file in it'],
  ENAMETOOLONG: ['invalid_argument', 'the path is too long; give a shorter one'],
  ELOOP: ['invalid_argument', 'its symbolic links lead in a circle; correct them'],
  ENXIO: ['invalid_argument', 'it is not a regular file; give the path of one'],
  EEXIST: ['already_exists', 'it exists already; give another path'],
  ENOTEMPTY: ['already_exists', 'it is a folder; give the path of a file in it'],
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

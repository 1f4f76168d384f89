// The errors of the file system, in the shape that Node gives them.

/** The codes that a simulated file system uses, with Node's texts and the numbers of Linux. */
const CODES = {
  EACCES: ['permission denied', 13],
  EBADF: ['bad file descriptor', 9],
  EEXIST: ['file already exists', 17],
  EINVAL: ['invalid argument', 22],
  EIO: ['i/o error', 5],
  EISDIR: ['illegal operation on a directory', 21],
  EMFILE: ['too many open files', 24],
  ENOENT: ['no such file or directory', 2],
  ENOSPC: ['no space left on device', 28],
  ENOSYS: ['function not implemented', 38],
  ENOTDIR: ['not a directory', 20],
  ENOTEMPTY: ['directory not empty', 39],
  EPERM: ['operation not permitted', 1],
} as const;

/** The code of an error of the file system. */
export type FileErrorCode = keyof typeof CODES;

/** Creates an error as `node:fs` does: "ENOENT: no such file or directory, open '/x'". */
export function fileError(
  code: FileErrorCode,
  syscall: string,
  path?: string | undefined,
  dest?: string | undefined,
): Error {
  const [text, number] = CODES[code];
  const where = path === undefined ? '' : ` '${path}'${dest === undefined ? '' : ` -> '${dest}'`}`;
  const error = new Error(`${code}: ${text}, ${syscall}${where}`);
  return Object.assign(error, {
    errno: -number,
    code,
    syscall,
    ...(path === undefined ? undefined : { path }),
    ...(dest === undefined ? undefined : { dest }),
  });
}

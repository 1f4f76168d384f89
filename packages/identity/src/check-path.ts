// Validates arguments that are paths of files.

/** Throws a TypeError in the name of `caller` if `path` cannot be a path. */
export function checkPath(path: string, caller: string): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return;
  throw new TypeError(
    `${caller}: path: must be the path of a file, got ${typeof path === 'string' ? JSON.stringify(path) : typeof path}`,
  );
}

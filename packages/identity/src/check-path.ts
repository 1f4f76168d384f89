// Is it a path?

/** A TypeError, in the name of `caller`, for what can be no path. */
export function checkPath(path: string, caller: string): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return;
  throw new TypeError(`${caller}: path: must be the path of a file, got ${typeof path === 'string' ? JSON.stringify(path) : typeof path}`);
}

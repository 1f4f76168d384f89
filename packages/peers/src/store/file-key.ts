// Converts keys to file names and back. The names are readable, and distinct on file systems that
// ignore case.

/**
 * Returns the file name of a key. Lower-case letters, digits, '-', '_' and '.' stay as they are;
 * every other byte becomes '%' and two hex digits, and so does a leading '.'.
 */
export function fileOfKey(key: string): string {
  if (key === '') return EMPTY;
  let name = '';
  for (const byte of new TextEncoder().encode(key)) {
    const sign = String.fromCharCode(byte);
    name +=
      /[a-z0-9_-]/.test(sign) || (sign === '.' && name !== '')
        ? sign
        : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return name;
}

/** Returns the key of a file name, or undefined if it is not the name of a key's file. */
export function keyOfFile(name: string): string | undefined {
  if (name === EMPTY) return '';
  try {
    const key = decodeURIComponent(name);
    return fileOfKey(key) === name ? key : undefined;
  } catch {
    return undefined;
  }
}

const EMPTY = '%';

// The names of files that stand for keys: readable, and distinct where case is not.

/** Returns the name for a key: lower-case letters, digits, '-', '_' and '.' as they are, all else as '%' and two hex digits for each byte. */
export function fileOfKey(key: string): string {
  if (key === '') return EMPTY;
  let name = '';
  for (const byte of new TextEncoder().encode(key)) {
    const sign = String.fromCharCode(byte);
    name += /[a-z0-9_-]/.test(sign) || (sign === '.' && name !== '') ? sign : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return name;
}

/** Returns the key that a file stands for; undefined: it is none of ours. */
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

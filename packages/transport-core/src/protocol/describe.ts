// Short one-line descriptions of any value, for error messages.

/** Describes a value in a few words: 'a Date', 'NaN', 'undefined', 'a string'. Never throws. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'number':
      return Number.isFinite(value) ? 'a number' : String(value);
    case 'object':
      return value === null ? 'null' : article(className(value));
    default:
      return `a ${typeof value}`;
  }
}

/**
 * Returns one step of a path into a value, as in source code: `.entries`, `[3]` or `["odd key"]`.
 */
export function member(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`;
  if (typeof key === 'symbol') return `[${String(key)}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]{0,63}$/u.test(key) ? `.${key}` : `[${quote(key)}]`;
}

/** Returns text in double quotes, escaped, and cut after `length` characters. */
export function quote(text: string, length = 64): string {
  return JSON.stringify(text.length > length ? `${text.slice(0, length)}…` : text);
}

function className(value: object): string {
  try {
    if (Array.isArray(value)) return 'array';
    const prototype: object | null = Object.getPrototypeOf(value);
    const name: unknown = prototype?.constructor?.name;
    return typeof name === 'string' &&
      /^[\p{L}_$][\p{L}\p{N}_$]{0,63}$/u.test(name) &&
      name !== 'Object'
      ? name
      : 'object';
  } catch {
    return 'object';
  }
}

function article(name: string): string {
  return `${/^[aeiouAEIOU]/.test(name) && !/^U(?!n)/.test(name) ? 'an' : 'a'} ${name}`;
}

// Cleans human-readable text that a peer sent (the text of GO_AWAY and ERROR, names, addresses),
// because it ends up in error messages, logs and terminals. Below are parts of error messages, the
// text fields that users give, and plain values.

/**
 * Makes a peer's text safe to store and to show. Line breaks and tabs become spaces. Other control
 * characters, marks that change the writing direction, and lone surrogates become U+FFFD. The
 * result is cut after 1 KiB of UTF-8. Use it only for text that people read: compare values as they
 * were received, and pass metadata, hello fields and payloads on unchanged.
 */
export function cleanText(text: string): string {
  return truncateText(text.replace(UNFIT, (found) => (/\s/.test(found) ? ' ' : '\ufffd')));
}

/**
 * Returns the longest prefix of a string, in whole code points, that takes at most 1 KiB of UTF-8.
 */
export function truncateText(text: string): string {
  if (text.length * 3 <= TEXT_LIMIT) return text;
  return text.slice(0, encoder.encodeInto(text, scratch).read);
}

/** Returns a duration for people, in whole milliseconds, at least one: '33 ms'. */
export function inMs(milliseconds: number): string {
  return `${Math.round(milliseconds) || 1} ms`;
}

/** Returns the message of an error, or any other thrown value as text. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Maximum length of the text of a GO_AWAY or ERROR, in bytes of UTF-8. */
export const TEXT_LIMIT = 1024;

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

const UNFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;
const encoder = new TextEncoder();
const scratch = new Uint8Array(TEXT_LIMIT);

/**
 * Returns true if the text contains half of a surrogate pair without the other half. UTF-8 can't
 * represent such a half, so the text would arrive changed.
 */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

const LONE_SURROGATE = /\p{Surrogate}/u;

// The text fields that users give: the metadata of a call or an error, and the fields of a hello.

/** Strings by name: an object, or `Headers`, a Map or any other iterable of pairs. */
export type TextFields =
  | Readonly<Record<string, string>>
  | Iterable<readonly [name: string, value: string]>;

/**
 * Returns text fields as an object: a plain object as it is, pairs as a new object without a
 * prototype.
 *
 * @throws TypeError for any other value, and for a name that is given twice; `what` names the
 *   fields in the error. The values are not checked.
 */
export function fieldsOf(given: TextFields, what: string): Readonly<Record<string, string>> {
  if (isPlainObject(given)) return given as Record<string, string>;
  const fields: Record<string, string> = Object.create(null);
  if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) throw unfit(what);
  for (const pair of given as Iterable<readonly [string, string]>) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') throw unfit(what);
    const [name, value] = pair;
    if (name in fields) throw new TypeError(`${what}: '${name}' is given twice`);
    fields[name] = value;
  }
  return fields;
}

function unfit(what: string): TypeError {
  return new TypeError(
    `${what}: must be strings in a plain object, Headers, a Map or a list of pairs`,
  );
}

// Plain values: byte arrays without the behavior of subclasses, and objects made by a literal.

/**
 * A Uint8Array over an ArrayBuffer, never over shared memory. Up to TypeScript 5.6, where
 * Uint8Array has no type parameter, it is a Uint8Array.
 */
export type Bytes = ReturnType<Uint8Array['slice']>;

/**
 * Returns the same bytes as a plain Uint8Array. Subclasses behave differently: the `slice` of
 * Node's Buffer, for example, does not copy.
 */
export function plain(bytes: Uint8Array): Bytes {
  // (Comparing prototypes would be a call into the engine; this is a load.)
  const isPlain = bytes.constructor === Uint8Array;
  return (isPlain ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)) as Bytes;
}

/**
 * Returns true for an object made by a literal, JSON.parse or Object.create(null), in any realm:
 * its prototype is null or the Object.prototype of a realm, which is recognized by its
 * `isPrototypeOf`. `{ __proto__: { … } }` is therefore not plain.
 */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: object | null = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf'))
  );
}

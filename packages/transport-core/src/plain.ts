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
 * its prototype is null or has no prototype itself. `{ __proto__: { … } }` is therefore not plain.
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

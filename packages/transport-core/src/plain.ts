// The type of plain byte arrays, and the conversion of others to them.

/**
 * A Uint8Array over an ArrayBuffer, never over shared memory. Up to TypeScript 5.6, where Uint8Array
 * has no type parameter, it is a Uint8Array.
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

// Conversion of byte arrays to plain Uint8Arrays.

/**
 * Returns the same bytes as a plain Uint8Array. Subclasses behave differently: the `slice` of
 * Node's Buffer, for example, does not copy.
 */
export function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // (Comparing prototypes would be a call into the engine; this is a load.)
  const isPlain = bytes.constructor === Uint8Array;
  return (
    isPlain ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  ) as Uint8Array<ArrayBuffer>;
}

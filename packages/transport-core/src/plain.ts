// Bytes as a Uint8Array and nothing else.

/** The same bytes as a Uint8Array and not as a subclass of it, as Node's Buffer is, whose `slice` copies nothing. */
export function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // (Asking for its prototype would be a call of the engine's; this is a load.)
  const isPlain = bytes.constructor === Uint8Array;
  return (isPlain ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)) as Uint8Array<ArrayBuffer>;
}

// Frames of WebSockets (RFC 6455, section 5.2), written and read byte by byte.

export const CONTINUATION = 0;
export const BINARY = 2;
export const PING = 9;
/** Flips the bit that marks the last frame of a message. */
export const NOT_LAST = 0x80;

/** Returns a frame, masked if there is a key. */
export function frame(type: number, payload: Buffer, key?: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = type ^ 0x80;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeUInt32BE(length, 6);
  if (key === undefined) return Buffer.concat([head, payload]);
  head[1] |= 0x80;
  return Buffer.concat([head, key, masked(payload, key)]);
}

/** Reads final binary frames. Only the shortest form of a length is allowed. */
export function framesOf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: { readonly key: Uint8Array | undefined; readonly payload: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== 0x82) throw new Error(`a frame that begins with ${bytes[at]}`);
    const second = bytes[at + 1]!;
    const short = second & 0x7f;
    const length =
      short < 126
        ? short
        : short === 126
          ? view.getUint16(at + 2)
          : Number(view.getBigUint64(at + 2));
    if ((short === 126 && length < 126) || (short === 127 && length < 65_536))
      throw new Error(`a length of ${length} in too many bytes`);
    at += short < 126 ? 2 : short === 126 ? 4 : 10;
    const key = second & 0x80 ? bytes.subarray(at, (at += 4)) : undefined;
    const payload = bytes.subarray(at, (at += length));
    if (payload.length !== length) throw new Error(`${payload.length} bytes, ${length} announced`);
    frames.push({ key, payload: key === undefined ? payload : masked(payload, key) });
  }
  return frames;
}

/** Applies a key to a copy of bytes. */
function masked(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => byte ^ key[i & 3]!);
}

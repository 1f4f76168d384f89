// Frames binary messages as in RFC 6455, section 5.2, with header and payload in one reusable
// buffer. `ws` could do this too, but it masks byte by byte into memory that is newly allocated for
// each message, which takes 3.6 times as long. For an unmasked message, it makes two writes.

import { Buffer } from 'node:buffer';
import { systemRandom } from '@trunkline/transport-core';

/**
 * Frames the messages of one direction. Call `release` or `given` after each frame: a released
 * frame's memory is reused for later frames.
 */
export class MessageFrames {
  readonly #isMasked: boolean;
  #memory: Memory | undefined;

  /**
   * @param isMasked true for a dialer, which masks each message with a new unpredictable key; an
   * acceptor must not mask.
   */
  constructor(isMasked: boolean) {
    this.#isMasked = isMasked;
  }

  /** Returns one whole message as a frame; the payload is copied. Valid until `release`. */
  frame(payload: Uint8Array): Uint8Array {
    const { length } = payload;
    const memory = length > MEMORY ? memoryOf(length) : (spare ?? memoryOf(MEMORY));
    if (memory === spare) spare = undefined;
    this.#memory = memory;
    const { bytes } = memory;
    bytes.set(payload, PAYLOAD);
    const end = PAYLOAD + length;
    const begin = this.#header(memory, length);
    if (this.#isMasked) mask(memory.words, end);
    return bytes.subarray(begin, end);
  }

  /**
   * Marks the last frame as no longer in use. Its memory is then used for the next frame of any
   * connection.
   */
  release(): void {
    const memory = this.#memory;
    this.#memory = undefined;
    if (memory !== undefined && memory.bytes.length === PAYLOAD + MEMORY) spare = memory;
  }

  /**
   * Marks the last frame as still in use. Its memory then belongs to its reader and is not reused.
   */
  given(): void {
    this.#memory = undefined;
  }

  /**
   * Writes the header in front of the payload and returns the offset at which the header begins.
   */
  #header({ bytes, view }: Memory, length: number): number {
    const key = this.#isMasked ? 4 : 0;
    const flag = this.#isMasked ? MASKED : 0;
    if (length < 126) {
      const at = PAYLOAD - key - 2;
      bytes[at] = FINAL_BINARY;
      bytes[at + 1] = flag | length;
      return at;
    }
    if (length <= 0xffff) {
      const at = PAYLOAD - key - 4;
      bytes[at] = FINAL_BINARY;
      bytes[at + 1] = flag | 126;
      view.setUint16(at + 2, length);
      return at;
    }
    const at = PAYLOAD - key - 10;
    bytes[at] = FINAL_BINARY;
    bytes[at + 1] = flag | 127;
    view.setUint32(at + 2, 0);
    view.setUint32(at + 6, length);
    return at;
  }
}

/**
 * Writes a new key in front of the payload and masks the payload with it, word by word. The bytes
 * after `end` in the last word are unused, so masking them is harmless.
 */
function mask(words: Int32Array, end: number): void {
  const key = (systemRandom() * 0x1_0000_0000) | 0;
  words[PAYLOAD / 4 - 1] = key;
  const last = (end + 3) >> 2;
  for (let at = PAYLOAD / 4; at < last; at++) words[at]! ^= key;
}

interface Memory {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;
}

function memoryOf(length: number): Memory {
  const { buffer } = Buffer.allocUnsafeSlow(PAYLOAD + ((length + 3) & ~3));
  return {
    bytes: new Uint8Array(buffer),
    words: new Int32Array(buffer),
    view: new DataView(buffer),
  };
}

/**
 * Spare memory shared by all connections, because each message is handed over before the next one
 * is framed.
 */
let spare: Memory | undefined;

/**
 * The offset of the payload. It leaves room for the longest header and is aligned to a word, so the
 * key is the word before it.
 */
const PAYLOAD = 16;
/**
 * Maximum size, in bytes, of a message that fits the spare memory: one of core's batches, with
 * packets of the default size and its control frames.
 */
const MEMORY = 96 * 1024;
/** The first header byte of a message in a single frame: the FIN bit and the binary opcode. */
const FINAL_BINARY = 0x82;
const MASKED = 0x80;

// Binary messages as RFC 6455 frames them (section 5.2), header and payload in one piece of memory that is used again. `ws` would do it
// too, but masks byte by byte, four times as slow, into memory of its own for each message, and where nothing is masked writes twice.

import { Buffer } from 'node:buffer';
import { systemRandom } from '@trunkline/transport-core';

/** Frames messages of one direction. The frame that it gave last is its own again with the next call, unless it is `given`. */
export class MessageFrames {
  readonly #isMasked: boolean;
  #memory: Memory | undefined;

  /** @param isMasked a dialler masks what it sends, with another unpredictable key for each message; an acceptor must not. */
  constructor(isMasked: boolean) {
    this.#isMasked = isMasked;
  }

  /** One whole message; its payload is copied. */
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

  /** Nobody reads the last frame any more: its memory serves for the next one, of any connection. */
  release(): void {
    const memory = this.#memory;
    this.#memory = undefined;
    if (memory !== undefined && memory.bytes.length === PAYLOAD + MEMORY) spare = memory;
  }

  /** Somebody reads the last frame yet: its memory is theirs. */
  given(): void {
    this.#memory = undefined;
  }

  /** Writes the header before the payload, and gives where it begins. */
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

/** Puts a key before the payload and on it, word by word: what lies behind its end in the last word is nobody's. */
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
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), view: new DataView(buffer) };
}

/** One for all connections: whoever frames a message has handed it over before the next one is framed. */
let spare: Memory | undefined;

/** Where the payload begins: room for the longest header, and on a word's boundary, so that the key is the word before it. */
const PAYLOAD = 16;
/** The longest message that fits the spare memory: a batch of core's, with packets of the default size, and its frames of control. */
const MEMORY = 96 * 1024;
/** The last frame of a message, and its first; binary. */
const FINAL_BINARY = 0x82;
const MASKED = 0x80;

// What is sent, how it is answered, and how every reply is checked.

/** Small messages, each another: a reply that belongs to another call of the last 4,096 is noticed. */
export class SmallMessages {
  readonly #requests: readonly Uint8Array[];
  #next = 0;

  constructor(size: number) {
    this.#requests = Array.from({ length: DISTINCT }, (_, number) => numbered(size, number));
  }

  take(): Uint8Array {
    return this.#requests[this.#next++ & (DISTINCT - 1)]!;
  }
}

/** A message of `size` bytes with its number at both ends. */
export function numbered(size: number, number: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(number);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, number, true);
  view.setUint32(size - 4, ~number);
  return bytes;
}

/** What every server does: a message comes back as it is, a large one as its size and its last byte. */
export function answer(request: Uint8Array): Uint8Array {
  if (request.length <= ECHOED) return request;
  const { length } = request;
  return Uint8Array.of(length, length >>> 8, length >>> 16, length >>> 24, request[length - 1]!);
}

/** @throws Error where it is not the answer to that request. */
export function check(request: Uint8Array, reply: Uint8Array): void {
  const { length } = request;
  if (length <= ECHOED) {
    const last = length - 1;
    if (reply.length === length && reply[0] === request[0] && reply[1] === request[1] && reply[last] === request[last] && reply[last - 1] === request[last - 1])
      return;
  } else if (reply.length === 5 && reply.every((byte, at) => byte === answer(request)[at])) return;
  throw new Error(`a wrong answer: ${reply.length} bytes, ${reply.slice(0, 8)}, to a request of ${length} bytes, ${request.slice(0, 8)}`);
}

/** A power of two. */
const DISTINCT = 4_096;
/** Messages up to this size are echoed. */
const ECHOED = 64 * 1024;

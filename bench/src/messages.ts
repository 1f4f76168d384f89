// The messages of all scenarios: how requests are made, how they are answered, and how every reply
// is checked.

import { Buffer } from 'node:buffer';

/**
 * Distinct requests of one size, reused in turn, so that a reply to another call among those in
 * flight is noticed.
 */
export class Messages {
  readonly #requests: readonly Uint8Array[];
  #next = 0;
  #checked = 0;

  /**
   * @param inFlight the number of calls at a time; twice as many requests in a row are distinct.
   */
  constructor(size: number, inFlight: number) {
    const distinct = Math.max(Math.min(Math.floor(MEMORY / size), MOST_DISTINCT), 2 * inFlight);
    this.#requests = Array.from({ length: distinct }, (_, number) => numbered(size, number));
  }

  take(): Uint8Array {
    const request = this.#requests[this.#next]!;
    this.#next = this.#next + 1 === this.#requests.length ? 0 : this.#next + 1;
    return request;
  }

  /**
   * Checks a reply by its size and by the number at both of its ends, and one reply in `WHOLE` byte
   * by byte.
   * @throws Error if the reply is wrong.
   */
  check(request: Uint8Array, reply: Uint8Array): void {
    check(request, reply);
    if (request.length > ECHOED || ++this.#checked % WHOLE !== 0) return;
    if (Buffer.compare(request, reply) !== 0)
      throw new Error(
        `a wrong answer: ${reply.length} bytes that differ from those of the request in the middle`,
      );
  }
}

/**
 * Makes a message of `size` bytes with its number at both ends; `size` is 0 or at least 8. No two
 * pieces between the ends are alike.
 */
export function numbered(size: number, number: number): Uint8Array {
  const bytes = new Uint8Array(size);
  if (size === 0) return bytes;
  for (let at = 0; at < size; at += PAGE) {
    const first = (number + (at >>> 8) * 7 + (at >>> 16) * 13) & 0xff;
    bytes.set(RAMP.subarray(first, first + Math.min(PAGE, size - at)), at);
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, number, true);
  view.setUint32(size - 4, ~number);
  return bytes;
}

/**
 * Answers a request by its content alone, on every server. A message of up to 64 KiB is echoed; a
 * longer one is answered by a receipt of eight bytes: its size and a sum over a sample of it. An
 * empty acknowledgment could not be checked.
 */
export function answer(request: Uint8Array): Uint8Array {
  if (request.length <= ECHOED) return request;
  return new Uint8Array(Uint32Array.of(request.length, sampled(request)).buffer);
}

/** Checks the ends of a reply. @throws Error if it does not answer that request. */
export function check(request: Uint8Array, reply: Uint8Array): void {
  const { length } = request;
  if (length <= ECHOED) {
    const last = length - 1;
    if (
      reply.length === length &&
      reply[0] === request[0] &&
      reply[1] === request[1] &&
      reply[last] === request[last] &&
      reply[last - 1] === request[last - 1]
    )
      return;
  } else if (reply.length === 8 && Buffer.compare(reply, answer(request)) === 0) return;
  throw new Error(
    `a wrong answer: ${reply.length} bytes, ${reply.slice(0, 8)}, to a request of ${length} bytes, ${request.slice(0, 8)}`,
  );
}

/**
 * Computes a sum over one byte in 16 KiB and the last byte, which changes if a piece is lost or
 * misplaced. It reads 65 bytes of a MiB.
 */
function sampled(bytes: Uint8Array): number {
  let sum = bytes[bytes.length - 1]!;
  for (let at = 0; at < bytes.length; at += SAMPLE) sum = Math.imul(sum ^ bytes[at]!, FNV);
  return sum >>> 0;
}

const PAGE = 256;
/** All byte values in turn, long enough to start at any of them. */
const RAMP = Uint8Array.from({ length: 2 * PAGE }, (_, at) => at);
/** Messages up to this size are echoed. */
const ECHOED = 64 * 1024;
const SAMPLE = 16 * 1024;
/** The prime of FNV-1a. */
const FNV = 16_777_619;
/**
 * The bytes that the requests of one size may take: more would not fit a cache and would measure
 * memory.
 */
const MEMORY = 512 * 1024;
const MOST_DISTINCT = 4_096;
/** A power of two. Comparing one reply of 64 KiB in 16 takes 2 % of a call. */
const WHOLE = 16;

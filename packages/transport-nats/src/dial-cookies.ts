// The cookies in the answers to dials: an acceptor remembers nothing of a dial, and recognizes its
// own cookie when the dialer sends it back.

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Clock, Random } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';

/** Issues cookies, each for the subject of one dialer and for a limited time. */
export class DialCookies {
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  readonly #lifetime: number;

  /** @param lifetime milliseconds for which a cookie is valid at least; at most twice as long. */
  constructor(random: Random, clock: Clock, lifetime: number) {
    this.#key = randomBytes(random, KEY);
    this.#clock = clock;
    this.#lifetime = lifetime;
  }

  /** Returns the cookie of a dial whose dialer receives at `subject`. */
  issue(subject: string): string {
    return this.#cookie(subject, this.#period);
  }

  /** Returns true if `cookie` was issued for `subject` and has not expired. */
  isValid(subject: string, cookie: string): boolean {
    const period = this.#period;
    return [period, period - 1].some((each) => areEqual(cookie, this.#cookie(subject, each)));
  }

  get #period(): number {
    return Math.floor(this.#clock.now() / this.#lifetime);
  }

  #cookie(subject: string, period: number): string {
    const tag = hmac(sha256, this.#key, utf8ToBytes(`${period} ${subject}`));
    return bytesToHex(tag.subarray(0, LENGTH));
  }
}

/** Compares two texts in a time that does not depend on where they differ. */
function areEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

/** The lengths of the key and of a cookie, in bytes. */
const KEY = 32;
const LENGTH = 16;

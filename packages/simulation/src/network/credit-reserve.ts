// Credit set aside for bytes that the writer does not know of: copies of messages, and the bytes
// that an interceptor adds to a message. The writer gets slightly lower limits than the reader
// allows. The reserve spends the difference, and is refilled from the credit that the reader
// returns.

import { decodeHello, encodeHello, type Frame } from '@trunkline/transport-core/internal';

/** The reserve of one direction of a connection. */
export class CreditReserve {
  /** Inbox credit per channel at the start: what the reader grants, and the part set aside. */
  #start = 0;
  #size = 0;
  /**
   * For each channel that was used: the credit that is `left` as the reader counts it (nothing is
   * taken unless it is above 0), the bytes set aside that were not taken (`spare`), and the number
   * of copies that the reader has not reported as done.
   */
  #channels: Map<number, { left: number; spare: number; copies: number }> | undefined;
  /** Number of calls that the reader allows but the writer does not know of. */
  #calls = 0;

  /** The empty reserve, until the reader has sent its hello. */
  static readonly NONE: CreditReserve = new CreditReserve();

  /**
   * Creates the reserve from the reader's hello, and lowers the limits in the hello accordingly.
   */
  static of(hello: Frame): CreditReserve {
    const reserve = new CreditReserve();
    const said = decodeHello(hello.hello);
    if (typeof said === 'string') return reserve;
    const { inbox, calls } = said.limits;
    reserve.#start = inbox;
    reserve.#size = Math.min(BYTES, Math.floor(inbox / 4));
    reserve.#calls = Math.min(CALLS, Math.floor(calls / CALLS));
    hello.hello = encodeHello({
      ...said,
      limits: { ...said.limits, inbox: inbox - reserve.#size, calls: calls - reserve.#calls },
    });
    return reserve;
  }

  /** Counts a one-way or a long request of the writer that reaches the reader. */
  arrives(channel: number, cost: number): void {
    if (this.#start > 0 && cost > 0) this.#of(channel).left -= cost;
  }

  /**
   * Takes inbox credit from the reserve, for a number of copies or for a longer message. Returns
   * false if it has too little.
   */
  take(channel: number, cost: number, copies: number): boolean {
    const reserve = this.#of(channel);
    if (reserve.spare < cost || reserve.left <= 0) return false;
    reserve.spare -= cost;
    reserve.left -= cost;
    reserve.copies += copies;
    return true;
  }

  /**
   * Handles inbox credit returned by the reader: first refills the reserve, and lowers `credit` and
   * its number of one-ways by what belongs to the reserve. Returns false if nothing is left for the
   * writer.
   */
  grants(credit: Frame): boolean {
    const reserve = this.#of(credit.channel);
    reserve.left += credit.credit;
    const done = Math.min(credit.size, reserve.copies);
    reserve.copies -= done;
    credit.size -= done;
    // The writer learns of its own one-ways only from CREDIT, which is never 0.
    const kept = Math.min(credit.credit - Math.min(credit.size, 1), this.#size - reserve.spare);
    reserve.spare += kept;
    credit.credit -= kept;
    return credit.credit > 0;
  }

  /** Takes a call from the reserve. Returns false if there is none. */
  takeCall(): boolean {
    if (this.#calls === 0) return false;
    this.#calls--;
    return true;
  }

  /** Returns an ended call to the reserve. */
  giveCall(): void {
    this.#calls++;
  }

  #of(channel: number) {
    let reserve = this.#channels?.get(channel);
    if (reserve !== undefined) return reserve;
    reserve = { left: this.#start, spare: this.#size, copies: 0 };
    this.#channels ??= new Map();
    this.#channels.set(channel, reserve);
    return reserve;
  }
}

/**
 * Maximum inbox credit that is set aside, in bytes per connection and channel. A quarter of the
 * inbox is set aside if that is less. A copy of a one-way costs at least 1,024 bytes, so with an
 * inbox below 4 KiB none is made.
 */
const BYTES = 1024 * 1024;
/**
 * Maximum number of calls that are set aside, out of 4,096. Also the divisor of the share: one call
 * in 64 is set aside, so no call is set aside if the reader allows fewer than 64.
 */
const CALLS = 64;

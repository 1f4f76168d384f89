// Credit set aside for bytes that the writer does not know of: copies of messages, and the bytes
// that an interceptor adds to a message. The writer gets slightly lower limits than the reader
// allows. The reserve spends the difference, and is refilled from the credit that the reader
// returns.

import { decodeHello, encodeHello, type Frame } from '@trunkline/transport-core/internal';

/** The reserve of one direction of a connection. */
export class CreditReserve {
  /**
   * Bytes of one-way credit set aside per channel and, for each channel that has spent some of
   * them, the bytes that are left.
   */
  #size = 0;
  #spare: Map<number, number> | undefined;
  /**
   * One-way credit per channel as the reader counts it: at the start and, for each channel that has
   * spent some of it, now. A channel gets nothing from the reserve unless this credit is above 0.
   */
  #start = 0;
  #left: Map<number, number> | undefined;
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
    const { short, calls } = said.limits;
    reserve.#start = short;
    reserve.#size = Math.min(BYTES, Math.floor(short / 4));
    reserve.#calls = Math.min(CALLS, Math.floor(calls / CALLS));
    hello.hello = encodeHello({
      ...said,
      limits: { ...said.limits, short: short - reserve.#size, calls: calls - reserve.#calls },
    });
    return reserve;
  }

  /** Counts a one-way message of the writer that reaches the reader. */
  arrives(channel: number, cost: number): void {
    if (this.#start === 0) return;
    this.#left ??= new Map();
    this.#left.set(channel, this.#leftOf(channel) - cost);
  }

  /** Takes one-way credit from the reserve. Returns false if it has too little. */
  take(channel: number, cost: number): boolean {
    const spare = (this.#spare?.get(channel) ?? this.#size) - cost;
    if (spare < 0 || this.#leftOf(channel) <= 0) return false;
    this.#spare ??= new Map();
    this.#spare.set(channel, spare);
    this.arrives(channel, cost);
    return true;
  }

  /**
   * Handles one-way credit returned by the reader: first refills the reserve, and lowers `credit`
   * by that amount. Returns false if no credit is left for the writer.
   */
  grants(credit: Frame): boolean {
    this.arrives(credit.channel, -credit.credit);
    const spare = this.#spare?.get(credit.channel);
    if (this.#spare === undefined || spare === undefined) return true;
    const kept = Math.min(credit.credit, this.#size - spare);
    this.#spare.set(credit.channel, spare + kept);
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

  #leftOf(channel: number): number {
    return this.#left?.get(channel) ?? this.#start;
  }
}

/** Maximum one-way credit that is set aside, in bytes per connection and channel. */
const BYTES = 64 * 1024;
/**
 * Maximum number of calls that are set aside, out of 4,096. Also the divisor of the share: one call
 * in 64 is set aside, so no call is set aside if the reader allows fewer than 64.
 */
const CALLS = 64;

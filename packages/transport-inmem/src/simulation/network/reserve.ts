// What a network may bring to a reader without its writer knowing: copies, and messages that were made longer. The writer is told of a
// little less than the reader allows; the difference is spent on these, and filled up again from what the reader gives back.

import { decodeHello, encodeHello, type Frame } from '@trunkline/transport-core';

export class Reserve {
  /** Bytes of one-way credit, a channel, and what of it is left where that is less. */
  #size = 0;
  #spare: Map<number, number> | undefined;
  /** One-way credit as the reader counts it, a channel: it takes nothing while that is not above 0. */
  #start = 0;
  #left: Map<number, number> | undefined;
  /** Calls that the writer does not know of and the reader allows. */
  #calls = 0;

  /** Before the reader has said hello. */
  static readonly NONE: Reserve = new Reserve();

  /** The reader's hello, as the writer gets it. */
  static of(hello: Frame): Reserve {
    const reserve = new Reserve();
    const said = decodeHello(hello.hello);
    if (typeof said === 'string') return reserve;
    const { short, calls } = said.limits;
    reserve.#start = short;
    reserve.#size = Math.min(BYTES, Math.floor(short / 4));
    reserve.#calls = Math.min(CALLS, Math.floor(calls / CALLS));
    hello.hello = encodeHello({ ...said, limits: { ...said.limits, short: short - reserve.#size, calls: calls - reserve.#calls } });
    return reserve;
  }

  /** A one-way of the writer's own reaches the reader. */
  arrives(channel: number, cost: number): void {
    if (this.#start === 0) return;
    this.#left ??= new Map();
    this.#left.set(channel, this.#leftOf(channel) - cost);
  }

  /** Takes credit that the writer did not spend; false: there is none. */
  take(channel: number, cost: number): boolean {
    const spare = (this.#spare?.get(channel) ?? this.#size) - cost;
    if (spare < 0 || this.#leftOf(channel) <= 0) return false;
    this.#spare ??= new Map();
    this.#spare.set(channel, spare);
    this.arrives(channel, cost);
    return true;
  }

  /** The reader gives one-way credit back: what the reserve lacks of it stays here. False: nothing is left of it. */
  grants(credit: Frame): boolean {
    this.arrives(credit.channel, -credit.credit);
    const spare = this.#spare?.get(credit.channel);
    if (this.#spare === undefined || spare === undefined) return true;
    const kept = Math.min(credit.credit, this.#size - spare);
    this.#spare.set(credit.channel, spare + kept);
    credit.credit -= kept;
    return credit.credit > 0;
  }

  /** Takes the place of a call; false: there is none. */
  takeCall(): boolean {
    if (this.#calls === 0) return false;
    this.#calls--;
    return true;
  }

  /** A call that had taken one is over. */
  giveCall(): void {
    this.#calls++;
  }

  #leftOf(channel: number): number {
    return this.#left?.get(channel) ?? this.#start;
  }
}

/** Bytes of one-way credit, a connection and channel. */
const BYTES = 64 * 1024;
/** Calls, of 4,096; none where less than that is allowed. */
const CALLS = 64;

// The room for calls on a connection: which of them may start, and which wait, in the order in
// which they were made.
//
// Owns the one queue of streaming calls (one for the whole connection, because their limit covers
// the connection), and fills the queues of the channels. The caller reports which calls begin and
// cease to wait. The queue tells the outbox whether any call waits.

import { TransportError, withDetails } from '../errors.ts';
import { List } from '../list.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import { MOST_PRICE, UNIT } from '../wire/frame.ts';
import type { Channel } from './channels.ts';
import type { Slots } from './id-table.ts';
import type { OutCall } from './out-call.ts';
import type { Outbox } from './outbox.ts';
import type { SessionContext } from './session-context.ts';

/** The open calls of a connection. */
interface OpenCalls {
  readonly slots: Slots<OutCall>;
  readonly streams: number;
}

/** Our waiting calls, and the limits that keep them waiting. */
export class CallQueue {
  readonly streams = new List<OutCall>();
  /** The number of calls that wait, on all channels. */
  size = 0;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;
  readonly #open: OpenCalls;

  constructor(context: SessionContext, outbox: Outbox, open: OpenCalls) {
    this.#context = context;
    this.#outbox = outbox;
    this.#open = open;
  }

  // Room.

  /** Returns true if a one-way of at most one packet could be sent now. */
  writable(channel: Channel): boolean {
    const { packet } = this.#context.terms;
    return (
      channel.lanes.shorts.fits(packet + UNIT, this.#context.limits.outbound) &&
      this.payable(channel, packet)
    );
  }

  /**
   * Returns true if the account of a one-way with this payload has credit and no earlier message
   * waits for it.
   */
  payable({ lanes, waiting, waitingLong }: Channel, length: number): boolean {
    if (length > this.#context.terms.packet)
      return waitingLong.length === 0 && lanes.unpaidLong.length === 0 && lanes.longCredit > 0;
    return waiting.length === 0 && lanes.firstUnpaid === undefined && lanes.shortCredit > 0;
  }

  /** Returns the error for a message that can never be sent on this connection. */
  refusal(
    { disagreement }: Channel,
    method: ProtocolMethod,
    length: number,
  ): TransportError | undefined {
    const { message } = this.#context.terms;
    if (disagreement !== undefined) return withDetails(disagreement, { sent: false });
    return length > message ? tooLarge(method, length, message) : undefined;
  }

  /** Returns true if the limits of both ends let the call start now. */
  hasRoom(channel: Channel, call: OutCall): boolean {
    const { lanes } = channel;
    const { terms, limits } = this.#context;
    const tally = call.payload.length > terms.packet ? lanes.longs : lanes.shorts;
    if (tally.messages > 0 && !tally.fits(Math.min(call.cost, MOST_PRICE), limits.outbound))
      return false;
    const { kind, flags } = call.method;
    if (kind === 'oneway') return true;
    return (
      channel.open < terms.calls &&
      !this.#open.slots.full &&
      (flags === 0 || this.#open.streams < terms.streams)
    );
  }

  // Waiting calls.

  /**
   * Returns the queue in which a call waits. Long messages that are not ordered with short ones
   * have a queue of their own in each channel. All other calls except streaming ones share the
   * channel's main queue.
   */
  queueOf(channel: Channel, call: OutCall): List<OutCall> {
    if (call.method.flags !== 0) return this.streams;
    return call.payload.length > this.#context.terms.packet &&
      channel.mounted?.protocol.ordered !== true
      ? channel.waitingLong
      : channel.waiting;
  }

  /** Returns the queues from which calls may be admitted when a channel has room. */
  queues(channel: Channel): readonly List<OutCall>[] {
    return [channel.waiting, channel.waitingLong, this.streams];
  }

  add(queue: List<OutCall>, call: OutCall): void {
    this.#context.usage.hold(call.cost);
    call.keep();
    queue.push(call);
    this.size++;
    this.#outbox.await(true);
  }

  /** Removes a call; returns false if it was not waiting in this queue. */
  remove(queue: List<OutCall>, call: OutCall): boolean {
    if (!queue.remove(call)) return false;
    this.#outbox.await(--this.size > 0);
    this.#context.usage.free(call.cost);
    return true;
  }

  /** Returns the waiting calls of a channel. */
  of(channel: Channel): OutCall[] {
    const streams = [...this.streams].filter((call) => call.channel === channel.byte);
    return [...channel.waiting, ...channel.waitingLong, ...streams];
  }

  /** Removes all waiting calls and returns them in order. */
  take(channels: Iterable<Channel>): OutCall[] {
    const taken: OutCall[] = [];
    const empty = (queue: List<OutCall>) => {
      for (const call of queue) {
        this.remove(queue, call);
        call.carryBy(undefined);
        taken.push(call);
      }
    };
    empty(this.streams);
    for (const { waiting, waitingLong } of channels) {
      empty(waiting);
      empty(waitingLong);
    }
    return taken.sort((a, b) => a.seq - b.seq);
  }
}

function tooLarge({ kind, full }: ProtocolMethod, length: number, limit: number): TransportError {
  const remedy = kind === 'oneway' ? 'send it in parts' : 'stream it with an upload';
  const text = `${full}: a request of ${length} bytes is above limits.message, ${limit} bytes with this peer; ${remedy}`;
  return new TransportError('resource_exhausted', text, { reason: 'too_large', sent: false });
}

// The calls that wait for room on a connection, in the order in which they were made.
//
// Owns the queue of streaming calls, which have one for the whole connection because their limit
// covers the connection, and fills the queues of the channels. The caller tells it which calls wait
// and which no longer do. It tells the outbox whether any call waits.

import { List } from '../list.ts';
import type { Channel } from './channel.ts';
import type { OutCall } from './out-call.ts';
import type { Outbox } from './outbox.ts';
import type { SessionContext } from './session-context.ts';

export class WaitingCalls {
  readonly streams = new List<OutCall>();
  /** The number of calls that wait, on all channels. */
  size = 0;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;

  constructor(context: SessionContext, outbox: Outbox) {
    this.#context = context;
    this.#outbox = outbox;
  }

  /**
   * Returns the queue in which a call waits. Long messages that keep no order with short ones have
   * a queue per channel; everything else but streaming calls shares the channel's main queue.
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
    this.#context.hold(call.cost);
    call.widen();
    queue.push(call);
    this.size++;
    this.#outbox.await(true);
  }

  /** Removes a call; returns false if it did not wait in this queue. */
  remove(queue: List<OutCall>, call: OutCall): boolean {
    if (!queue.remove(call)) return false;
    this.#outbox.await(--this.size > 0);
    this.#context.free(call.cost);
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
        call.carrier = undefined;
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

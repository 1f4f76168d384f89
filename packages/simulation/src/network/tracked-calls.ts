// The calls of a connection, as the network tracks them, with the state of their messages.

import type { ProtocolMethod } from '@trunkline/transport-core/backend';
import { type Frame, slotOfCall } from '@trunkline/transport-core/internal';
import { NO_EVENT } from '../kernel/trace.ts';

/**
 * A call as the network tracks it, from its first frame on. Both directions of the connection share
 * this object.
 */
export interface TrackedCall {
  readonly id: number;
  readonly method: ProtocolMethod | undefined;
  /** The numbers of the trace names of the call's frames, by frame kind. */
  readonly words: readonly number[];
  readonly streams: boolean;
  /** True if its request, or the first packet of its long one-way message, has arrived. */
  arrived: boolean;
  /**
   * True if a message of the call was lost. In that case, the rest of the call is discarded, and
   * the network answers its cancellation.
   */
  lost: boolean;
  /** True if its cancellation has arrived. From then on, answers to the call are not lost. */
  cancelled: boolean;
  /**
   * Virtual times, in milliseconds, until which interceptors hold up this call's messages from the
   * caller (`outboundAt`) and from the callee (`inboundAt`); 0 if none does.
   */
  outboundAt: number;
  inboundAt: number;
  /** The number of the event in which its request was sent. */
  event: number;
  /** True if this is the second copy of a request. Answers to it are discarded. */
  readonly copy: boolean;
}

/** Returns the call that a REQUEST or a long ONEWAY opens. */
export function trackedCall(
  { id, flags }: Frame,
  method: ProtocolMethod | undefined,
  words: readonly number[],
): TrackedCall {
  return {
    id,
    method,
    words,
    // The flags of a REQUEST show which side streams (UPLOAD, DOWNLOAD). A ONEWAY has none.
    streams: flags !== 0,
    arrived: false,
    lost: false,
    cancelled: false,
    outboundAt: 0,
    inboundAt: 0,
    event: NO_EVENT,
    copy: false,
  };
}

/**
 * The calls that one end has opened, by id. A table never contains calls of both ends, because
 * their ids differ only in the parity, which `slotOfCall` ignores. It is an array of slots, because
 * a session numbers its calls by slots: a new call reuses the slot of an ended one. Nothing else
 * removes an ended call.
 */
export class CallTable {
  #slots: (TrackedCall | undefined)[] = [];
  #others: Map<number, TrackedCall> | undefined;

  get(id: number): TrackedCall | undefined {
    const entry = this.#slots[slotOfCall(id)];
    return entry !== undefined && entry.id === id ? entry : this.#others?.get(id);
  }

  set(entry: TrackedCall): void {
    const slot = slotOfCall(entry.id);
    // The array grows slowly, because most ends have one call at a time, and there may be 100,000
    // ends.
    const { length } = this.#slots;
    if (slot >= length)
      this.#slots = [
        ...this.#slots,
        ...new Array<undefined>(slot === 0 ? 1 : 2 * slot + 1 - length).fill(undefined),
      ];
    this.#slots[slot] = entry;
  }

  /**
   * Adds an entry with an id that no session issued. The entry is kept apart, because otherwise it
   * would take the slot of an id that a session issued. It stays until the same id is set aside
   * again.
   */
  setAside(entry: TrackedCall): void {
    this.#others ??= new Map();
    this.#others.set(entry.id, entry);
  }
}

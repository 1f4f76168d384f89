// A frame in flight: its role and its cost, which decide whether it may be lost, duplicated and
// overtaken.

import type { ProtocolMethod } from '@trunkline/transport-core/backend';
import { Account, Frame, Kind, priceOf, UNIT_COST } from '@trunkline/transport-core/internal';
import { checksum, NO_EVENT, type Trace } from '../kernel/trace.ts';
import type { TrackedCall } from './tracked-calls.ts';

/** Returns the numbers of the trace names of a method's frames, by frame kind. */
export function traceNames(trace: Trace, method: ProtocolMethod | undefined): readonly number[] {
  return trace.numbers(method ?? NO_METHOD, () =>
    NAMES.map((name) => (method === undefined ? name : `${method.full} ${name}`)),
  );
}

/**
 * The role of a frame in the network. 'request', 'oneway' and 'answer' are messages, which may be
 * lost. 'body' is the rest of a long message or of a stream, including the credit of the stream;
 * 'cancel' and 'control' keep the connection's accounts. Frames of these three roles are never lost
 * by chance. But a 'body' is discarded if a message of its call was lost, and a 'cancel' is
 * discarded if the request of its call has not arrived.
 */
export type FrameRole = 'request' | 'oneway' | 'answer' | 'body' | 'cancel' | 'control';

/** The fields of a CREDIT that the network itself sends. */
export type CreditFields = Partial<Pick<Frame, 'account' | 'credit' | 'id' | 'channel' | 'size'>>;

/** A frame in flight. */
export class InFlightFrame {
  readonly frame: Frame;
  readonly role: FrameRole;
  readonly call: TrackedCall | undefined;
  /** True if an interceptor has judged it. */
  judged = false;
  /** The virtual time until which it was held up last, in milliseconds; 0 if it was not. */
  heldUntil = 0;
  /** True for the second copy of a duplicated message. */
  copy = false;
  /** The number of the event in which it was sent. */
  sent = NO_EVENT;
  /** The number of the frame's name in the trace. */
  readonly word: number;
  /**
   * The checksum of its payload, for the trace. Code that replaces the payload must set it again.
   */
  check: number;

  constructor(frame: Frame, role: FrameRole, call: TrackedCall | undefined, word: number) {
    this.frame = frame;
    this.word = word;
    this.check = frame.payload.length === 0 ? 0 : checksum(frame.payload);
    this.role = role;
    this.call = call;
  }

  /**
   * True if it may be lost. Answers to a canceled or streaming call may not be lost, because the
   * caller could not release the resources that it holds for the call.
   */
  get lossy(): boolean {
    const { role, call } = this;
    if (role === 'answer') return call !== undefined && !call.cancelled && !call.streams;
    return role === 'request' || role === 'oneway';
  }

  /**
   * True if later frames may overtake it. They may not if more of the same message or call follows.
   */
  get movable(): boolean {
    return this.lossy && this.whole && this.call?.streams !== true;
  }

  /**
   * False for the first frame of a long message. True for every other frame, including the PARTs of
   * a long message.
   */
  get whole(): boolean {
    return this.frame.size === 0;
  }

  /** Number of bytes that this frame alone takes from the pipe. */
  get cost(): number {
    return this.frame.length + this.frame.metadataSize + UNIT_COST;
  }

  /** Number of bytes that the message beginning with this frame takes from its inbox account. */
  get inboxCost(): number {
    const { role, whole, frame } = this;
    return role === 'oneway' || (role === 'request' && !whole) ? priceOf(frame) : 0;
  }

  /**
   * Returns a second copy. The copy of a request is a separate call with the given id. A short
   * one-way message has no call, and the id is not used. Long messages are not copied.
   */
  copied(id: number): InFlightFrame {
    const { frame, call, role, word } = this;
    const again = Object.assign(new Frame(), frame, { payload: frame.payload.slice() });
    if (call !== undefined) again.id = id;
    const copy = new InFlightFrame(again, role, call && { ...call, id, copy: true }, word);
    copy.copy = true;
    copy.sent = this.sent;
    return copy;
  }

  /**
   * Calls `credit` with the CREDIT that returns what the frame has spent, for each account of the
   * writer (docs/wire-protocol.md §6). Short requests and answers spend nothing. The account of a
   * stream is left out, because it ends with its call.
   */
  refund(credit: (fields: CreditFields) => void): void {
    const { frame, role, cost, inboxCost, whole } = this;
    const { channel } = frame;
    const size = role === 'oneway' ? 1 : 0;
    if (inboxCost > 0) credit({ account: Account.INBOX, credit: inboxCost, channel, size });
    if (!whole || frame.kind === Kind.ITEM || frame.kind === Kind.PART)
      credit({ account: Account.PIPE, credit: cost });
  }
}

/** Returns the role of a frame. */
export function roleOf({ kind, account, id }: Frame, call: TrackedCall | undefined): FrameRole {
  switch (kind) {
    case Kind.REQUEST:
      return 'request';
    case Kind.ONEWAY:
      return 'oneway';
    case Kind.RESPONSE:
    case Kind.ERROR:
      return call?.streams === true ? 'body' : 'answer';
    case Kind.ITEM:
    case Kind.PART:
    case Kind.END:
      return 'body';
    case Kind.CANCEL:
      return 'cancel';
    case Kind.CREDIT:
      return account === Account.STREAM && id !== 0 ? 'body' : 'control';
    default:
      return 'control';
  }
}

/** Names of the frame kinds, by their numbers. */
const NAMES: readonly string[] = (() => {
  const names: string[] = [];
  for (const [name, kind] of Object.entries(Kind))
    names[kind] = name.toLowerCase().replace('_', ' ');
  return Array.from(names, (name) => name ?? '');
})();
const NO_METHOD = {};

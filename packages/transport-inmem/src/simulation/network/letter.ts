// A frame on its way, and the call that it belongs to: what may be lost, doubled and overtaken, and what may not.

import { Account, type Frame, Kind, type Method } from '@trunkline/transport-core';
import { checksum } from '../world/trace.ts';

/** A call as the network follows it, from its first frame on. Both directions of its connection hold the same one. */
export interface TrackedCall {
  readonly id: number;
  readonly method: Method | undefined;
  /** What its frames are called in the trace, by their kind. */
  readonly words: readonly number[];
  readonly streams: boolean;
  /** Its request has arrived. */
  arrived: boolean;
  /** A message of it was lost: the rest of it goes nowhere, and its cancellation is answered by the network. */
  lost: boolean;
  /** Its cancellation has arrived: what answers it is not lost any more. */
  cancelled: boolean;
  /** An interceptor holds up what the caller sends of it, and what the callee does, until these times. */
  outboundAt: number;
  inboundAt: number;
  /** It is the second copy of a request: what answers it goes nowhere. */
  readonly copy: boolean;
}

/**
 * What a frame is to the network. 'request', 'oneway' and 'answer' are messages, which it may lose; 'body' is the rest of a long message
 * or of a stream, 'cancel' and 'control' keep the connection's accounts: these come, or the connection ends.
 */
export type Role = 'request' | 'oneway' | 'answer' | 'body' | 'cancel' | 'control';

export class Letter {
  readonly frame: Frame;
  readonly role: Role;
  readonly call: TrackedCall | undefined;
  /** An interceptor has judged it. */
  judged = false;
  /** The second copy of a message. */
  copy = false;
  /** Its name in the trace. */
  readonly word: number;
  /** Of its payload, for the trace. */
  check: number;

  constructor(frame: Frame, role: Role, call: TrackedCall | undefined, word: number) {
    this.frame = frame;
    this.word = word;
    this.check = frame.payload.length === 0 ? 0 : checksum(frame.payload);
    this.role = role;
    this.call = call;
  }

  /** May it be lost? Not what answers a call that was cancelled, or that streams: its caller could not free what it holds. */
  get lossy(): boolean {
    const { role, call } = this;
    if (role === 'answer') return call !== undefined && !call.cancelled && !call.streams;
    return role === 'request' || role === 'oneway';
  }

  /** May later ones overtake it? Not what has more behind it. */
  get movable(): boolean {
    return this.lossy && this.whole && this.call?.streams !== true;
  }

  /** Is it a whole message in one frame? */
  get whole(): boolean {
    return this.frame.size === 0;
  }

  /** What an account takes for this frame alone. */
  get cost(): number {
    return this.frame.payload.length + this.frame.metadataSize + UNIT;
  }

  /** What an account takes for the message that begins with it. */
  get wholeCost(): number {
    return Math.max(this.frame.size, this.frame.payload.length) + this.frame.metadataSize + UNIT;
  }
}

/** Frames that open a call, those that end one, and those that go on with one. */
export function roleOf({ kind, account, id }: Frame, call: TrackedCall | undefined): Role {
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

/** What every unit costs beside its bytes (docs/wire-protocol.md §6). */
const UNIT = 64;

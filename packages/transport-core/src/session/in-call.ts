// A call that came in, as the session knows it. What a reader sees of it is made by the rpc storey.

import type { TransportError } from '../errors.ts';
import type { Entry, List } from '../list.ts';
import type { Method } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { Assembly } from './assembly.ts';
import type { InStream } from './in-stream.ts';
import type { Link } from './link.ts';
import type { OutStream } from './out-stream.ts';
import type { Lanes, Outgoing, Sender } from './outgoing.ts';
import type { Receiving } from './receiving.ts';

/** What came in of one channel: the side of a Channel that its calls know. */
export interface InChannel {
  readonly link: Link;
  readonly byte: number;
  readonly version: number;
  /** Of the protocol that is mounted, the driver's own. */
  readonly mounted: object | undefined;
  readonly lanes: Lanes;
  /** The peer's calls that have no terminal yet, and the handlers that run. */
  openIn: number;
  running: number;
  /** Handlers of one-ways that run, and whether others wait because they are as many as `limits.calls` allows. */
  oneways: number;
  crowded: boolean;
  /** What came and was not taken; `queued` counts its short requests, `queuedBytes` their bytes. */
  readonly inbound: List<InCall>;
  queued: number;
  queuedBytes: number;
}

/** Where a call's answers go. */
export interface AnswerCarrier {
  respond(call: InCall, payload: Uint8Array): boolean;
  fail(call: InCall, error: TransportError, unprocessed: boolean): boolean;
  /** A downloading call's stream is whole. */
  finish(call: InCall): boolean;
  /** A terminal frame of `call` is whole in the batch. */
  forget(call: InCall): void;
  /** So many answers wait that no more calls of the channel are to be dispatched; `Calls.roomForReplies` tells when. */
  congested(channel: InChannel): boolean;
  /** A reader answered when its caller was gone. */
  late(): void;
  /** The call is looked at again at `time`: nobody may have taken it until then. */
  expires(call: InCall, time: number): void;
  /** A handler began, and is through: `limits.calls` counts those that run. */
  started(call: InCall, by?: Running): void;
  finished(call: InCall): void;
}

/** A handler of `serve`, which ends by itself, or a reader of `consumer()`, which may never answer a call whose caller is gone. */
export type Running = typeof HANDLER | typeof READER;
export const HANDLER = 1;
export const READER = 2;

/** One incoming call, from its last request packet to its answer, or until its handler is through. */
export class InCall implements Entry, Sender {
  readonly id: number;
  readonly channel: InChannel;
  readonly method: Method;
  readonly metadata: Record<string, string> | undefined;
  /** When it ends, on the transport's clock; Infinity: never. */
  readonly due: number;
  payload: Uint8Array;
  /** The account that pays for it: for a request until it is taken, for a one-way until its reader is done with it; undefined: none. */
  account: Receiving | undefined = undefined;
  /** What it cost there, what the inbound queue counts, and what it holds of the transport's memory while it waits. */
  readonly cost: number;
  /** Its caller still waits. A one-way never did. */
  open: boolean;
  /** Who calls. */
  from: Remote | undefined = undefined;
  /** Its reader has answered it. */
  answered = false;
  /** Who is at work on it; 0: nobody. */
  running: 0 | Running = 0;
  readonly carrier: AnswerCarrier;

  // What only a call has that waits, is long, streams or is given up; see OutCall. `widen` comes before the first value of any of them.
  declare private wide: true | undefined;
  declare list: List<Entry> | undefined;
  declare before: Entry | undefined;
  declare after: Entry | undefined;
  declare assembly: Assembly | undefined;
  /** The terminal that waits in the lanes. */
  declare reply: Outgoing | undefined;
  declare upload: InStream | undefined;
  declare download: OutStream | undefined;
  /** Why nobody waits for its answer any more. */
  declare gone: TransportError | undefined;
  /** A reader that asked is told when that comes. */
  declare cancelled: ((error: TransportError) => void) | undefined;
  /** What its reader asked for, the reader's own. */
  declare seen: object | undefined;
  /** When the call is refused because no reader takes it; Infinity as long as its protocol has a reader. */
  declare refuseAt: number;

  constructor(
    carrier: AnswerCarrier,
    id: number,
    channel: InChannel,
    method: Method,
    metadata: Record<string, string> | undefined,
    cost: number,
    due: number,
    payload: Uint8Array,
  ) {
    this.carrier = carrier;
    this.id = id;
    this.channel = channel;
    this.method = method;
    this.metadata = metadata;
    this.cost = cost;
    this.due = due;
    this.payload = payload;
    this.open = method.kind !== 'oneway';
  }

  /** All of these at once: whatever stood there before is gone. */
  widen(): void {
    if (this.wide) return;
    this.wide = true;
    this.list = this.before = this.after = undefined;
    this.assembly = this.upload = this.download = undefined;
    this.reply = this.gone = this.cancelled = this.seen = undefined;
    this.refuseAt = Number.POSITIVE_INFINITY;
  }

  /** The caller is gone. */
  left(error: TransportError): void {
    this.widen();
    this.gone = error;
    this.cancelled?.(error);
  }

  timeLeft(): number {
    return 0;
  }

  paid(): void {}

  dropped(): void {}

  written(_unit: Outgoing, last: boolean): void {
    if (!last) return;
    this.reply = undefined;
    this.carrier.forget(this);
  }
}

/** What stands on the prototype. */
const none = undefined;
const unusual = { list: none, before: none, after: none, assembly: none, upload: none, download: none, reply: none, gone: none, cancelled: none, seen: none };
Object.assign(InCall.prototype, unusual, { refuseAt: Number.POSITIVE_INFINITY });

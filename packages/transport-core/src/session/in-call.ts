// An incoming call as the session sees it. The `rpc` directory builds on it what a handler or
// reader sees.

import type { TransportError } from '../errors.ts';
import type { List, ListEntry } from '../list.ts';
import type { Method } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { Frame } from '../wire/frame.ts';
import type { Assembly } from './assembly.ts';
import type { Timed } from './deadlines.ts';
import type { InStream } from './in-stream.ts';
import { longCost } from './incoming-packets.ts';
import type { OutStream } from './out-stream.ts';
import type { Lanes, Outgoing, UnitSender } from './outgoing.ts';
import type { ReceiveAccount } from './receive-account.ts';
import type { SessionContext } from './session-context.ts';

/** The side of a `Channel` that its incoming calls use. */
export interface InChannel {
  readonly context: SessionContext;
  readonly byte: number;
  readonly version: number;
  /** The mounted protocol; an object of the driver. */
  readonly mounted: object | undefined;
  readonly lanes: Lanes;
  /**
   * The peer's calls that have no terminal frame yet, and the requests whose handlers are running.
   */
  openIn: number;
  running: number;
  /**
   * One-ways whose handlers are running; and whether more wait because that number has reached
   * `limits.calls`.
   */
  oneways: number;
  crowded: boolean;
  /**
   * Calls that arrived and were not taken; `queued` counts the short requests among them,
   * `queuedBytes` their bytes.
   */
  readonly inbound: List<InCall>;
  queued: number;
  queuedBytes: number;
}

/** Sends the answers of incoming calls. */
export interface AnswerCarrier {
  respond(call: InCall, payload: Uint8Array): boolean;
  fail(call: InCall, error: TransportError, unprocessed: boolean): boolean;
  /** Ends the download of a call. */
  finish(call: InCall): boolean;
  /** Called when a terminal frame of `call` is in the batch. */
  forget(call: InCall): void;
  /**
   * Returns true if so many answers wait that no more calls of the channel should be dispatched;
   * `SessionVisitor.roomForReplies` tells when there is room.
   */
  congested(channel: InChannel): boolean;
  /** Called when a reader answered after its caller was gone. */
  late(): void;
  /** Schedules a check of the call at `time`, in case no reader takes it until then. */
  expires(call: InCall, time: number): void;
  /**
   * Called when a handler starts and when it ends. `limits.calls` bounds the number of running
   * handlers.
   */
  started(call: InCall, by?: Running): void;
  finished(call: InCall): void;
}

/**
 * Either a handler of `serve`, which ends by itself, or a reader of `consumer()`, which may never
 * answer a call whose caller is gone.
 */
export type Running = typeof HANDLER | typeof READER;
export const HANDLER = 1;
export const READER = 2;

/**
 * One incoming call, from its last request packet until it is answered and its handler has ended.
 */
export class InCall implements ListEntry, Timed, UnitSender {
  readonly id: number;
  readonly channel: InChannel;
  readonly method: Method;
  readonly metadata: Record<string, string> | undefined;
  /** The time at which the call ends, on the transport's clock; Infinity if never. */
  readonly due: number;
  payload: Uint8Array;
  /**
   * The account that paid for it. It is charged until a request is taken or a one-way's reader is
   * done with it; undefined if no account paid.
   */
  account: ReceiveAccount | undefined = undefined;
  /**
   * The cost on that account. The inbound queue counts the same amount, and the call holds as much
   * of the transport's memory while it waits.
   */
  readonly cost: number;
  /** True while the caller still waits; always false for a one-way. */
  open: boolean;
  /** The calling peer. */
  from: Remote | undefined = undefined;
  /** True once its reader has answered it. */
  answered = false;
  /** The kind of reader that works on it; 0 if none does. */
  running: 0 | Running = 0;
  readonly carrier: AnswerCarrier;
  /** Its place among the deadlines of its session. */
  place = -1;

  // The following properties matter only for a call that waits, is long, streams or is given up;
  // see `OutCall`. Call `widen` before setting any of them.
  declare private wide: true | undefined;
  declare list: List<ListEntry> | undefined;
  declare before: ListEntry | undefined;
  declare after: ListEntry | undefined;
  declare assembly: Assembly | undefined;
  /** The terminal frame that waits in the lanes. */
  declare reply: Outgoing | undefined;
  declare upload: InStream | undefined;
  declare download: OutStream | undefined;
  /** The reason why the answer is no longer awaited. */
  declare gone: TransportError | undefined;
  /** Called when the caller is gone, if the reader asked for that. */
  declare cancelled: ((error: TransportError) => void) | undefined;
  /** Objects that the reader asked for; owned by the reader. */
  declare seen: object | undefined;
  /**
   * The time at which the call is refused because no reader takes it; Infinity as long as its
   * protocol has a reader.
   */
  declare refuseAt: number;

  /** @param payload the payload of the frame, in a form that the reader may keep. */
  constructor(
    carrier: AnswerCarrier,
    frame: Frame,
    channel: InChannel,
    method: Method,
    payload: Uint8Array,
  ) {
    this.carrier = carrier;
    this.id = frame.id;
    this.channel = channel;
    this.method = method;
    this.metadata = frame.metadata;
    this.cost = longCost(frame);
    this.open = method.kind !== 'oneway';
    this.due =
      this.open && frame.timeout !== 0
        ? channel.context.now + frame.timeout
        : Number.POSITIVE_INFINITY;
    this.payload = payload;
  }

  /** Initializes the optional properties, all at once; values set before are lost. */
  widen(): void {
    if (this.wide) return;
    this.wide = true;
    this.list = this.before = this.after = undefined;
    this.assembly = this.upload = this.download = undefined;
    this.reply = this.gone = this.cancelled = this.seen = undefined;
    this.refuseAt = Number.POSITIVE_INFINITY;
  }

  /** Called when the caller is gone. */
  left(error: TransportError): void {
    this.widen();
    this.gone = error;
    this.cancelled?.(error);
  }

  isLate(): boolean {
    return false;
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

/** Defaults of the optional properties, stored on the prototype. */
const none = undefined;
const unusual = {
  list: none,
  before: none,
  after: none,
  assembly: none,
  upload: none,
  download: none,
  reply: none,
  gone: none,
  cancelled: none,
  seen: none,
};
Object.assign(InCall.prototype, unusual, { refuseAt: Number.POSITIVE_INFINITY });

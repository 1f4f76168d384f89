// A call that this end makes, as the session knows it. What the caller sees of it is a subclass of the rpc storey.

import type { TransportError } from '../errors.ts';
import type { Entry, List } from '../list.ts';
import type { Method } from '../protocol/protocol.ts';
import type { EncodedMetadata } from '../wire/frame.ts';
import type { Assembly } from './assembly.ts';
import type { InStream } from './in-stream.ts';
import { UNIT } from './link.ts';
import type { OutStream } from './out-stream.ts';
import type { Outgoing, Sender } from './outgoing.ts';

/** What a call asks of the session that carries it. */
export interface CallCarrier {
  /** Batches up to this one (excluded) have left. */
  readonly mark: number;
  /** Where a call stands that has not been sent: 'it waited for a connection'. */
  readonly stage: string;
  /** The time, as of this tick. */
  readonly now: number;
  /** The request of `call` is whole in the batch. */
  requestWritten(call: OutCall): void;
  /** The caller gave up: it is taken back, or cancelled. */
  abandon(call: OutCall): void;
}

/** One call: from `send` until it settled, and on until its terminal frame was read. */
export abstract class OutCall implements Entry, Sender {
  readonly channel: number;
  readonly method: Method;
  readonly payload: Uint8Array;
  readonly metadata: EncodedMetadata | undefined;
  /** The order of `send` in this transport. */
  seq = 0;
  /** When its time is up, on the transport's clock; Infinity: never. */
  due = Number.POSITIVE_INFINITY;
  /** It has settled; its id lives on until the terminal frame. */
  done = false;

  // What the session keeps of it.
  id = 0;
  carrier: CallCarrier | undefined = undefined;
  /** The batch that its request (of a streaming one: the first packet) went into; 0: none. */
  writtenIn = 0;

  // What only a call has that waits, is long or streams: of all others it stands on the prototype, since what a call is made of is a good
  // part of what it costs. `widen` comes before the first value of any of them.
  /** Undefined: it is unary, was never queued, and has none of these. */
  declare wide: true | undefined;
  declare list: List<Entry> | undefined;
  declare before: Entry | undefined;
  declare after: Entry | undefined;
  declare unit: Outgoing | undefined;
  /** Does its deadline travel? Of a streaming call only its own timeout does. */
  declare travels: boolean;
  /** It was lost unsent once and is on its second connection. */
  declare retried: boolean;
  declare assembly: Assembly | undefined;
  declare upload: OutStream | undefined;
  declare download: InStream | undefined;

  constructor(channel: number, method: Method, payload: Uint8Array, metadata: EncodedMetadata | undefined) {
    this.channel = channel;
    this.method = method;
    this.payload = payload;
    this.metadata = metadata;
  }

  /** All of these at once, so that there are two shapes of calls and no more: V8 is slow with many. */
  widen(): void {
    if (this.wide) return;
    this.wide = true;
    this.list = this.before = this.after = undefined;
    this.unit = this.assembly = this.upload = this.download = undefined;
    this.travels = true;
    this.retried = false;
  }

  /** What it costs an account, and counts in the queues. */
  get cost(): number {
    return this.payload.length + (this.metadata === undefined ? 0 : this.metadata.size) + UNIT;
  }

  /** May a handler have seen it? */
  get sent(): boolean {
    return this.writtenIn !== 0 && this.carrier !== undefined && this.writtenIn < this.carrier.mark;
  }

  /** The response of a unary or uploading call. */
  abstract answered(payload: Uint8Array): void;
  /** The callee's stream is whole. */
  abstract ended(): void;
  /** It failed: by an answer, by its connection, or before it could be sent. */
  abstract failed(error: TransportError): void;
  /** Its time is up. */
  abstract expired(now: number): void;
  /** A one-way: it will go, in its order. A streaming one: its request has left, the streams are there. */
  abstract accepted(): void;

  /** A streaming one: an item went or came, or the request has left. */
  abstract progressed(now: number): void;

  timeLeft(now: number): number {
    if (!this.travels || this.due === Number.POSITIVE_INFINITY) return 0;
    const left = this.due - now;
    if (left <= 0) return -1;
    // Rounded up; `Math.ceil` and its way back to an integer take three times as long.
    return left < 0x4000_0000 ? (left + NEARLY_ONE) | 0 || 1 : Math.min(Math.ceil(left), 0xffff_ffff);
  }

  paid(): void {
    if (this.method.kind === 'oneway') this.accepted();
  }

  written(unit: Outgoing, last: boolean): void {
    if (last || (this.method.flags !== 0 && this.writtenIn === 0)) this.writtenIn = this.carrier!.mark;
    if (!last) return;
    if (this.unit === unit) this.unit = undefined;
    this.carrier!.requestWritten(this);
  }

  dropped(): void {
    this.unit = undefined;
  }
}

/** The clock is finer by far than what this is short of 1. */
const NEARLY_ONE = 1 - 2 ** -30;

/** What stands on the prototype. */
const none = undefined;
const unusual = { list: none, before: none, after: none, unit: none, assembly: none, upload: none, download: none, travels: true, retried: false };
Object.assign(OutCall.prototype, { wide: none, ...unusual });

// The record of one call for observers, and the interface through which calls report to them. Only
// calls that somebody observes have a record.

import type { CallRecord } from '../call-record.ts';
import type { Code, Reason, TransportError } from '../errors.ts';
import type { Method } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { TraceChannel } from '../trace-channels.ts';

/** Follows the calls of a transport, at either end. */
export interface CallWatch {
  readonly now: number;
  /**
   * Reports the start of a call. Returns a tracing channel if it has subscribers; then the
   * synchronous part of the call runs in it.
   */
  begin(record: CallRecord): TraceChannel | undefined;
  /** Reports the end of a call. */
  end(record: CallRecord): void;
}

/** A record that its call fills in. */
export class OpenRecord implements CallRecord {
  readonly side: 'client' | 'server';
  readonly protocol: string;
  readonly method: string;
  readonly kind: Method['kind'];
  target: string | undefined = undefined;
  remote: Remote | undefined = undefined;
  metadata: Readonly<Record<string, string>> | undefined = undefined;
  readonly startedAt: number;
  deadline: number | undefined = undefined;
  queued = 0;
  attempts: number;
  duration = 0;
  error: TransportError | undefined = undefined;
  sent: boolean;
  bytesSent = 0;
  bytesReceived = 0;
  itemsSent = 0;
  itemsReceived = 0;
  protected readonly watch: CallWatch;
  private isOver = false;

  constructor(watch: CallWatch, side: 'client' | 'server', protocol: string, method: Method) {
    this.watch = watch;
    this.side = side;
    this.protocol = protocol;
    this.method = method.name;
    this.kind = method.kind;
    this.startedAt = watch.now;
    this.sent = side === 'server';
    this.attempts = this.sent ? 1 : 0;
  }

  get code(): Code | undefined {
    return this.error?.code;
  }

  get reason(): Reason | undefined {
    return this.error?.reason;
  }

  /** Called when the request was written; a call that is sent again waits until the last time. */
  written(): void {
    this.queued = this.watch.now - this.startedAt;
    this.attempts++;
  }

  itemSent(bytes: number): void {
    this.itemsSent++;
    this.bytesSent += bytes;
  }

  itemReceived(bytes: number): void {
    this.itemsReceived++;
    this.bytesReceived += bytes;
  }

  /** Ends the record; only the first end counts. */
  end(error: TransportError | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.error = error;
    this.duration = this.watch.now - this.startedAt;
    this.watch.end(this);
  }

  /** Returns the record as plain data, with the endpoint of the remote. */
  toJSON(): object {
    const { side, protocol, method, kind, target, remote, metadata, startedAt, deadline } = this;
    const { queued, attempts, duration, code, reason, error, sent } = this;
    const { bytesSent, bytesReceived, itemsSent, itemsReceived } = this;
    const call = { side, protocol, method, kind, target, remote: remote?.endpoint, metadata };
    const times = { startedAt, deadline, queued, attempts, duration };
    const outcome = { code, reason, message: error?.message, sent };
    return { ...call, ...times, ...outcome, bytesSent, bytesReceived, itemsSent, itemsReceived };
  }

  /** Returns the form that Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    return this.toJSON();
  }
}

// Outgoing calls that are observed. They do the same as other calls, and keep a record.

import type { TransportError } from '../errors.ts';
import type { Remote } from '../remote.ts';
import type { Outgoing } from '../session/outgoing/outgoing.ts';
import { Call } from './call.ts';
import { type CallWatch, OpenRecord } from './call-watch.ts';
import { StreamCall } from './stream-call.ts';

/** Makes a call report to an observer from now on. Returns its record. */
export function observeCall(
  call: ObservedCall | ObservedStreamCall,
  watch: CallWatch,
  protocol: string,
  metadata: Readonly<Record<string, string>> | undefined,
): OpenRecord {
  call.record = new OutgoingRecord(watch, protocol, call, metadata);
  return call.record;
}

/** Reports a call that fails with `error` before it is made. */
export function observeUnsent(
  watch: CallWatch,
  protocol: string,
  call: RecordedCall,
  metadata: Readonly<Record<string, string>> | undefined,
  error: TransportError,
): void {
  const record = new OutgoingRecord(watch, protocol, call, metadata);
  const channel = watch.begin(record);
  const settle = () => record.settled(error);
  if (channel === undefined) settle();
  else channel.run(record, settle);
}

/** An outgoing call as its record sees it. */
type RecordedCall = Pick<Call<unknown>, 'method' | 'due' | 'payload' | 'target' | 'to' | 'carrier'>;

/** The record of an outgoing call. */
class OutgoingRecord extends OpenRecord {
  readonly metadata: Readonly<Record<string, string>> | undefined;
  remote: Remote | undefined = undefined;
  attempts = 0;
  protected readonly call: RecordedCall;

  constructor(
    watch: CallWatch,
    protocol: string,
    call: RecordedCall,
    metadata: Readonly<Record<string, string>> | undefined,
  ) {
    super(watch, protocol);
    this.call = call;
    this.metadata = metadata;
    this.bytesSent = call.payload.length;
  }

  get side(): 'client' {
    return 'client';
  }

  get target(): string {
    return this.call.target;
  }

  get sent(): boolean {
    return this.isOver && (this.error === undefined || this.error.sent === true);
  }

  /**
   * Called when the request has been written. The waiting time of a call that is sent again lasts
   * until the last write.
   */
  written(): void {
    this.queued = this.watch.now - this.startedAt;
    this.attempts++;
  }

  settled(error: TransportError | undefined): void {
    const { carrier, to } = this.call;
    this.remote = carrier?.remote ?? (typeof to === 'string' ? undefined : to);
    this.end(error);
  }
}

/** A unary or one-way call. */
export class ObservedCall extends Call<unknown> {
  /** Undefined while the call is being constructed. */
  record: OutgoingRecord | undefined = undefined;

  override writeIn(batch: number): void {
    super.writeIn(batch);
    this.record?.written();
  }

  override written(unit: Outgoing, last: boolean): void {
    if (last) this.record?.written();
    super.written(unit, last);
  }

  override answered(payload: Uint8Array): void {
    if (this.record !== undefined) this.record.bytesReceived += payload.length;
    super.answered(payload);
  }

  protected override settle(error: TransportError | undefined): void {
    super.settle(error);
    this.record?.settled(error);
  }
}

/** A call that streams. */
export class ObservedStreamCall extends StreamCall {
  /** Undefined while the call is being constructed. */
  record: OutgoingRecord | undefined = undefined;

  override writeIn(batch: number): void {
    super.writeIn(batch);
    this.record?.written();
  }

  override written(unit: Outgoing, last: boolean): void {
    if (this.writtenIn === 0) this.record?.written();
    super.written(unit, last);
  }

  override answered(payload: Uint8Array): void {
    if (this.record !== undefined) this.record.bytesReceived += payload.length;
    super.answered(payload);
  }

  protected override decodeItem(item: Uint8Array): unknown {
    this.record?.itemReceived(item.length);
    return super.decodeItem(item);
  }

  protected override encodeItem(item: unknown): Uint8Array {
    const encoded = super.encodeItem(item);
    this.record?.itemSent(encoded.length);
    return encoded;
  }

  protected override settle(error: TransportError | undefined): void {
    super.settle(error);
    this.record?.settled(error);
  }
}

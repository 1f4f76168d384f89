// Outgoing calls that somebody observes. They do the same as other calls, and keep a record.

import type { TransportError } from '../errors.ts';
import type { Method } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { Outgoing } from '../session/outgoing/outgoing.ts';
import { Call, type CallHost, type OwnOptions } from './call.ts';
import { type CallWatch, OpenRecord } from './call-watch.ts';
import { StreamCall } from './stream-call.ts';

/** The call as its record describes it. */
export interface Observation {
  readonly watch: CallWatch;
  /** The name of the protocol. */
  readonly protocol: string;
}

/** Creates a call that reports to an observer. */
export function observedCall(
  { watch, protocol }: Observation,
  host: CallHost,
  method: Method,
  { payload, target }: { readonly payload: Uint8Array; readonly target: string | Remote },
  options: OwnOptions,
): ObservedCall | ObservedStreamCall {
  const call =
    method.flags === 0
      ? new ObservedCall(host, method, payload, target, options)
      : new ObservedStreamCall(host, method, payload, target, options);
  const record = new OpenRecord(watch, 'client', protocol, method);
  record.target = call.target;
  record.metadata = options.metadata;
  if (call.due !== Number.POSITIVE_INFINITY) record.deadline = call.due;
  record.bytesSent = payload.length;
  call.record = record;
  return call;
}

/** A unary or one-way call. */
export class ObservedCall extends Call<unknown> {
  /** Undefined while the call is constructed. */
  record: OpenRecord | undefined = undefined;

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
    endRecord(this, error);
  }
}

/** A call that streams. */
export class ObservedStreamCall extends StreamCall {
  /** Undefined while the call is constructed. */
  record: OpenRecord | undefined = undefined;

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
    endRecord(this, error);
  }
}

function endRecord(
  { record, carrier, to }: ObservedCall | ObservedStreamCall,
  error: TransportError | undefined,
): void {
  if (record === undefined) return;
  record.remote = carrier?.remote ?? (typeof to === 'string' ? undefined : to);
  record.sent = error === undefined || error.sent === true;
  record.end(error);
}

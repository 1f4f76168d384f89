// The record of an outgoing call that is observed.

import type { TransportError } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { CallCarrier } from '../session/out-call.ts';
import { type CallWatch, OpenRecord } from './call-watch.ts';

/** Makes a call report to an observer from now on. Returns its record. */
export function observeCall(
  call: RecordedCall & { record: OutgoingRecord | undefined },
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
interface RecordedCall {
  readonly method: ProtocolMethod;
  readonly due: number;
  readonly payload: Uint8Array;
  readonly target: string;
  /** The target as the user gave it. */
  readonly to: string | Remote;
  readonly carrier: CallCarrier | undefined;
}

/** The record of an outgoing call. */
export class OutgoingRecord extends OpenRecord {
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

// Incoming calls that are observed.

import type { TransportError } from '../errors.ts';
import type { TraceChannel } from '../observer.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { CallObserver, InCall, Payer } from '../session/in-call.ts';
import { type CallWatch, OpenRecord } from './records.ts';
import type { IncomingRpc } from './rpc.ts';
import type { Taker } from './taker.ts';

/** Hands a call over to its reader, and observes it. */
export function handObserved(
  watch: CallWatch,
  protocol: string,
  taker: Taker,
  call: IncomingRpc,
): void {
  const record = new HandlingRecord(watch, protocol, call);
  const channel = watch.begin(record);
  if (channel === undefined) taker.take(call);
  else trace(channel, record, taker, call);
}

/**
 * Hands a call over in a tracing channel. (A closure in `handObserved` would slow down every call.)
 */
function trace(
  channel: TraceChannel,
  record: HandlingRecord,
  taker: Taker,
  call: IncomingRpc,
): void {
  channel.run(record, () => taker.take(call));
}

/** Observes the handling of a call that no reader gets. */
export function observeHandling(
  watch: CallWatch,
  protocol: string,
  call: InCall,
  handle: () => void,
): void {
  const record = new HandlingRecord(watch, protocol, call);
  const channel = watch.begin(record);
  if (channel === undefined) handle();
  else channel.run(record, handle);
}

/** The record of an incoming call. */
class HandlingRecord extends OpenRecord implements CallObserver, Payer {
  protected readonly call: InCall;
  /** The account that paid for a one-way. */
  private readonly payer: Payer | undefined;

  constructor(watch: CallWatch, protocol: string, call: InCall) {
    super(watch, protocol);
    const { definition, queuedAt } = call;
    this.call = call;
    this.payer = call.account;
    if (queuedAt !== undefined) this.queued = this.startedAt - queuedAt;
    this.bytesReceived = call.payload.length;
    call.observe(this);
    if (definition.kind === 'oneway') call.chargeTo(this);
  }

  protected get definition(): ProtocolMethod {
    return this.call.definition;
  }

  get side(): 'server' {
    return 'server';
  }

  get target(): undefined {
    return undefined;
  }

  get remote(): Remote | undefined {
    return this.call.from;
  }

  get metadata(): Readonly<Record<string, string>> | undefined {
    return this.call.fields;
  }

  get attempts(): number {
    return 1;
  }

  get sent(): boolean {
    return true;
  }

  answered(bytes: number): void {
    if (this.isOver) return;
    this.bytesSent += bytes;
    this.end(undefined);
  }

  /** A one-way ends only when it gives its credit back. */
  failed(error: TransportError): void {
    if (this.kind === 'oneway') this.error = error;
    else this.end(error);
  }

  left(error: TransportError): void {
    this.end(error);
  }

  protected override endTime(): number {
    return this.watch.readNow();
  }

  giveBack(cost: number, eager: boolean): void {
    this.payer?.giveBack(cost, eager);
    this.end(this.error);
  }
}

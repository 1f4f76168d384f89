// Incoming calls that somebody observes. The record of such a call passes its answers on, so it
// knows how the call ends.

import { TransportError } from '../errors.ts';
import type {
  AnswerCarrier,
  CallObserver,
  InCall,
  InChannel,
  Payer,
  Running,
} from '../session/in-call.ts';
import type { TraceChannel } from '../trace-channels.ts';
import { type CallWatch, OpenRecord } from './call-watch.ts';
import { type IncomingRpc, toTransportError } from './rpc.ts';
import type { Taker } from './taker.ts';

/** Hands over a call to its reader, and has it observed. */
export function handObserved(
  watch: CallWatch,
  protocol: string,
  taker: Taker,
  rpc: IncomingRpc,
  call: InCall,
): void {
  const record = new HandlingRecord(watch, protocol, call);
  const channel = watch.begin(record);
  if (channel === undefined) taker.take(rpc, call);
  else trace(channel, record, taker, rpc, call);
}

/** Hands over a call in a tracing channel. (A closure in `handObserved` would cost each call.) */
function trace(
  channel: TraceChannel,
  record: HandlingRecord,
  taker: Taker,
  rpc: IncomingRpc,
  call: InCall,
): void {
  channel.run(record, () => taker.take(rpc, call));
}

/** Has the handling of a call observed that no reader gets. */
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

/** The record of an incoming call, through which the call is answered. */
class HandlingRecord extends OpenRecord implements AnswerCarrier, CallObserver, Payer {
  private readonly carrier: AnswerCarrier;
  private readonly payer: Payer | undefined;

  constructor(watch: CallWatch, protocol: string, call: InCall) {
    super(watch, 'server', protocol, call.method);
    const { from, metadata, due, queuedAt, payload } = call;
    this.remote = from;
    this.metadata = metadata;
    if (due !== Number.POSITIVE_INFINITY) this.deadline = due;
    if (queuedAt !== undefined) this.queued = this.startedAt - queuedAt;
    this.bytesReceived = payload.length;
    this.carrier = call.carrier;
    this.payer = call.account;
    call.observe(this, this);
    if (call.method.kind === 'oneway') call.chargeTo(this);
  }

  respond(call: InCall, payload: Uint8Array): boolean | TransportError {
    const sent = this.carrier.respond(call, payload);
    if (sent === true) this.bytesSent += payload.length;
    this.end(sent === true ? undefined : sent || lost(call));
    return sent;
  }

  fail(call: InCall, error: TransportError, unprocessed: boolean): boolean {
    const isOpen = this.carrier.fail(call, error, unprocessed);
    this.end(isOpen ? error : lost(call));
    return isOpen;
  }

  finish(call: InCall): boolean {
    const isOpen = this.carrier.finish(call);
    this.end(isOpen ? undefined : lost(call));
    return isOpen;
  }

  /** The caller is gone. */
  left(error: TransportError): void {
    this.end(error);
  }

  /** A one-way gives its credit back when it was handled. */
  giveBack(cost: number, eager: boolean): void {
    this.payer?.giveBack(cost, eager);
    this.end(this.error);
  }

  /** Only a one-way has not ended when it is late: its handler has failed. */
  late(error?: unknown): void {
    if (error !== undefined) this.error = toTransportError(error);
    this.carrier.late(error);
  }

  forget(call: InCall): void {
    this.carrier.forget(call);
  }

  congested(channel: InChannel): boolean {
    return this.carrier.congested(channel);
  }

  expires(call: InCall, time: number): void {
    this.carrier.expires(call, time);
  }

  started(call: InCall, by?: Running): void {
    this.carrier.started(call, by);
  }

  finished(call: InCall): void {
    this.carrier.finished(call);
  }
}

function lost(call: InCall): TransportError {
  return call.gone ?? new TransportError('cancelled', 'the caller was gone');
}

// A call as its maker sees it: a promise that settles exactly once, by an answer, its deadline, its signal or its connection.

import { type Code, reasonError, TransportError, withDetails } from '../errors.ts';
import { decodeAs } from '../protocol/message.ts';
import type { Method } from '../protocol/protocol.ts';
import { type CallCarrier, OutCall } from '../session/out-call.ts';
import type { EncodedMetadata } from '../wire/frame.ts';
import { type Abortable, unwatch, watch } from './abort.ts';

/** The transport behind its calls. */
export interface CallHost {
  /** Its channel on every connection. */
  readonly channel: number;
  /** A call has settled, with this code where it failed. */
  settled(code: Code | undefined): void;
  /** The call's time may be up then. */
  wakeBy(time: number): void;
}

/** What few calls are made with. */
export interface CallExtras {
  readonly metadata: EncodedMetadata | undefined;
  readonly signal: AbortSignal | undefined;
  /** The user gave the timeout for this call: of a stream it bounds the whole. */
  readonly own: boolean;
}

/** Most calls' extras. */
export const NO_EXTRAS: CallExtras = Object.freeze({ metadata: undefined, signal: undefined, own: false });

/** An OutCall by its prototype, without that one's constructor: V8 is slower with one constructor that calls another (docs/performance.md). */
export interface Call<Result> extends OutCall, Abortable {
  resolve: (value: Result | PromiseLike<Result>) => void;
}

/** A unary call, which its response settles; or a one-way, which nobody answers: it resolves once it will go in its order. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: its constructor sets all that an OutCall's does, and its prototype has the rest.
export class Call<Result> {
  readonly channel: number;
  readonly method: Method;
  readonly payload: Uint8Array;
  readonly metadata: EncodedMetadata | undefined;
  seq = 0;
  due: number;
  done = false;
  id = 0;
  carrier: CallCarrier | undefined = undefined;
  writtenIn = 0;
  readonly promise: Promise<Result>;
  /** As the user wrote it. */
  readonly target: string;
  /** A string target may be dialled again; a Remote is its own connection or none. */
  readonly redial: boolean;
  /** Milliseconds, or Infinity. */
  protected readonly timeout: number;
  protected readonly host: CallHost;
  private readonly signal: AbortSignal | undefined;

  /** One by one: an object for what it is made of would be a hundred bytes more for each call. */
  constructor(host: CallHost, method: Method, payload: Uint8Array, target: string, redial: boolean, now: number, timeout: number, extras: CallExtras) {
    this.channel = host.channel;
    this.method = method;
    this.payload = payload;
    this.metadata = extras.metadata;
    this.host = host;
    this.target = target;
    this.redial = redial;
    this.timeout = timeout;
    this.signal = extras.signal;
    this.due = now + timeout;
    this.promise = promiseOf(this);
    if (this.signal !== undefined) watch(this.signal, this);
  }

  failed(error: TransportError): void {
    if (this.done) return;
    const detailed = withDetails(error, { target: this.target, sent: error.sent ?? this.sent });
    this.settle(error.code);
    this.broken(detailed);
  }

  expired(now: number): void {
    if (this.done) return;
    const { sent } = this;
    const where = this.writtenIn === 0 ? (this.carrier?.stage ?? 'it waited') : this.silence(now);
    this.giveUp(
      new TransportError('deadline_exceeded', `${this.method.full} to ${this.target}: ${this.timeout} ms passed, ${where}`, { sent, target: this.target }),
    );
  }

  /** Says what came of a call whose time is up after its request has left. */
  protected silence(_now: number): string {
    return 'no answer came';
  }

  aborted(reason: unknown): void {
    if (this.done) return;
    const { sent } = this;
    this.giveUp(new TransportError('cancelled', `${this.method.full} to ${this.target}: its signal aborted`, { sent, target: this.target, cause: reason }));
  }

  progressed(_now: number): void {}

  ended(): void {}

  accepted(): void {
    if (this.done || this.method.kind !== 'oneway') return;
    this.settle(undefined);
    this.resolve(undefined as Result);
  }

  answered(payload: Uint8Array): void {
    let value: unknown;
    try {
      value = decodeAs(this.method.response!, this.method.what.response, payload);
    } catch (error) {
      return this.failed(badAnswer(error));
    }
    this.settle(undefined);
    this.resolve(value as Result);
  }

  /** Settles it from this side, and takes it back or cancels it. */
  protected giveUp(error: TransportError): void {
    this.settle(error.code);
    this.carrier?.abandon(this);
    this.broken(error);
  }

  /** It is over: exactly once. */
  protected settle(code: Code | undefined): void {
    this.done = true;
    if (this.signal !== undefined) unwatch(this.signal, this);
    this.host.settled(code);
  }

  /** Tells the maker of a failure, by way of one microtask. */
  protected broken(error: TransportError): void {
    this.resolve({ then: (_, reject) => reject?.(error) } as PromiseLike<Result>);
  }
}

Object.setPrototypeOf(Call.prototype, OutCall.prototype);

/** The callee answered what our codec refuses: `internal`, as gRPC has it; or what it finds too large. */
export function badAnswer(error: unknown): TransportError {
  const message = `the answer breaks its codec: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof TransportError && error.reason === 'too_large') return reasonError('too_large', message, { sent: true, cause: error });
  return new TransportError('internal', message, { origin: 'remote', sent: true, cause: error });
}

/** Nobody keeps the function that rejects it, so V8 makes none; nor has any function a `this` to remember. */
function promiseOf<Result>(call: Call<Result>): Promise<Result> {
  return new Promise((resolve) => {
    call.resolve = resolve;
  });
}

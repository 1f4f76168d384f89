// A call as its maker sees it: a promise that settles exactly once, by an answer, its deadline, its signal or its connection.

import { type Code, TransportError, withDetails } from '../errors.ts';
import type { Method } from '../protocol/protocol.ts';
import { decodeAs } from '../protocol/refusal.ts';
import { OutCall } from '../session/out-call.ts';
import type { EncodedMetadata } from '../wire/frame.ts';
import { type Abortable, unwatch, watch } from './abort.ts';

/** The transport behind its calls. */
export interface CallHost {
  /** A call has settled, with this code where it failed. */
  settled(code: Code | undefined): void;
  /** The call's time may be up then. */
  wakeBy(time: number): void;
}

/** How a call was made. */
export interface CallInit {
  readonly host: CallHost;
  readonly channel: number;
  readonly method: Method;
  readonly payload: Uint8Array;
  readonly metadata: EncodedMetadata | undefined;
  /** As the user wrote it, for errors. */
  readonly target: string;
  /** A string target may be dialled again; a Remote is its own connection or none. */
  readonly redial: boolean;
  readonly now: number;
  /** Milliseconds, or Infinity. */
  readonly timeout: number;
  /** The user gave the timeout for this call: of a stream it bounds the whole. */
  readonly own: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A unary call, which its response settles; or a one-way, which nobody answers: it resolves once it will go in its order. */
export class Call<Result> extends OutCall implements Abortable {
  readonly promise: Promise<Result>;
  /** As the user wrote it. */
  readonly target: string;
  /** A string target may be dialled again; a Remote is its own connection or none. */
  readonly redial: boolean;
  /** Milliseconds, or Infinity. */
  protected readonly timeout: number;
  protected readonly host: CallHost;
  private readonly signal: AbortSignal | undefined;
  protected resolve!: (value: Result) => void;
  protected reject!: (error: unknown) => void;

  constructor(init: CallInit) {
    super(init.channel, init.method, init.payload, init.metadata);
    // `init` itself is not kept: where V8 compiles the constructor into the code that made it, it is never made.
    this.host = init.host;
    this.target = init.target;
    this.redial = init.redial;
    this.timeout = init.timeout;
    this.signal = init.signal;
    this.due = init.now + init.timeout;
    this.travels = init.method.flags === 0 || init.own;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (init.signal !== undefined) watch(init.signal, this);
  }

  failed(error: TransportError): void {
    if (this.done) return;
    const detailed = withDetails(error, { target: this.target, sent: error.sent ?? this.sent });
    this.settle(error.code);
    this.broken(detailed);
  }

  expired(_now: number): void {
    if (this.done) return;
    const { sent } = this;
    const where = this.writtenIn === 0 ? (this.carrier?.stage ?? 'it waited') : 'no answer came';
    this.giveUp(
      new TransportError('deadline_exceeded', `${this.method.full} to ${this.target}: ${this.timeout} ms passed, ${where}`, { sent, target: this.target }),
    );
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

  /** Tells the maker of a failure. */
  protected broken(error: TransportError): void {
    this.reject(error);
  }
}

/** The callee answered what our codec refuses: `internal`, as gRPC has it. */
export function badAnswer(error: unknown): TransportError {
  const message = error instanceof Error ? error.message : String(error);
  return new TransportError('internal', `the answer breaks its codec: ${message}`, { origin: 'remote', sent: true, cause: error });
}

// An outgoing call: a promise that settles exactly once, by its answer, deadline, signal or
// connection.

import { type Code, reasonError, TransportError, withDetails } from '../errors.ts';
import { decodeAs } from '../protocol/message.ts';
import type { Method } from '../protocol/protocol.ts';
import { type CallCarrier, OutCall } from '../session/out-call.ts';
import type { EncodedMetadata } from '../wire/frame.ts';
import { type Abortable, unwatch, watch } from './abort.ts';

/** The transport as its outgoing calls see it. */
export interface CallHost {
  /** The channel of the protocol on every connection. */
  readonly channel: number;
  /** Reports that a call has settled, with this code if it failed. */
  settled(code: Code | undefined): void;
  /** Requests to be woken at `time`, when the call may expire. */
  wakeBy(time: number): void;
}

/** Rarely used parts of a call. */
export interface CallExtras {
  readonly metadata: EncodedMetadata | undefined;
  readonly signal: AbortSignal | undefined;
  /** True if the timeout was given for this call: then it bounds all of a stream. */
  readonly own: boolean;
}

/** The extras of most calls. */
export const NO_EXTRAS: CallExtras = Object.freeze({
  metadata: undefined,
  signal: undefined,
  own: false,
});

/**
 * An OutCall by its prototype, but without a call of its constructor: V8 is slower if one
 * constructor calls another (docs/performance.md).
 */
export interface Call<Result> extends OutCall, Abortable {
  resolve: (value: Result | PromiseLike<Result>) => void;
}

/**
 * A unary call, which its response settles; or a one-way, which resolves once it will be sent in
 * its order.
 */
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
  /** The target as the user wrote it. */
  readonly target: string;
  /**
   * True for a string target, which can be dialed again; a Remote is reached over its own
   * connection only.
   */
  readonly redial: boolean;
  /** The timeout in milliseconds, or Infinity. */
  protected readonly timeout: number;
  protected readonly host: CallHost;
  private readonly signal: AbortSignal | undefined;

  /**
   * The arguments are separate, because an options object would cost a hundred bytes more for each
   * call.
   */
  constructor(
    host: CallHost,
    method: Method,
    payload: Uint8Array,
    target: string,
    redial: boolean,
    now: number,
    timeout: number,
    extras: CallExtras,
  ) {
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
    const where =
      this.writtenIn === 0 ? (this.carrier?.stage ?? 'it was waiting') : this.silence(now);
    this.giveUp(
      new TransportError(
        'deadline_exceeded',
        `${this.method.full} to ${this.target}: ${this.timeout} ms passed; ${where}`,
        { sent, target: this.target },
      ),
    );
  }

  /** Describes what arrived for a call that expires after its request was sent. */
  protected silence(_now: number): string {
    return 'no response arrived';
  }

  aborted(reason: unknown): void {
    if (this.done) return;
    const { sent } = this;
    this.giveUp(
      new TransportError(
        'cancelled',
        `${this.method.full} to ${this.target}: its signal was aborted`,
        {
          sent,
          target: this.target,
          cause: reason,
        },
      ),
    );
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

  /** Settles the call from this side, and withdraws or cancels it. */
  protected giveUp(error: TransportError): void {
    this.settle(error.code);
    this.carrier?.abandon(this);
    this.broken(error);
  }

  /** Marks the call as settled; called exactly once. */
  protected settle(code: Code | undefined): void {
    this.done = true;
    if (this.signal !== undefined) unwatch(this.signal, this);
    this.host.settled(code);
  }

  /** Rejects the promise, one microtask later. */
  protected broken(error: TransportError): void {
    this.resolve({ then: (_, reject) => reject?.(error) } as PromiseLike<Result>);
  }
}

Object.setPrototypeOf(Call.prototype, OutCall.prototype);

/**
 * Returns the error for an answer that this end's codec refuses: `internal`, as in gRPC, or
 * `resource_exhausted` with reason `too_large`.
 */
export function badAnswer(error: unknown): TransportError {
  const message = `the response was rejected by its codec: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof TransportError && error.reason === 'too_large')
    return reasonError('too_large', message, { sent: true, cause: error });
  return new TransportError('internal', message, { origin: 'remote', sent: true, cause: error });
}

/**
 * Creates the promise of a call. No code keeps its reject function, so V8 creates none; and no
 * function needs to capture `this`.
 */
function promiseOf<Result>(call: Call<Result>): Promise<Result> {
  return new Promise((resolve) => {
    call.resolve = resolve;
  });
}

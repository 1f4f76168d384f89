// The one error class of Trunkline, its two closed tables of codes (the kind of failure) and
// reasons (the specific cause), and control over the stack traces of errors; iterable-calls.test.ts
// of transport-inmem tests `withCallerStack`. Below are promises of streams that are iterable,
// which iterable-promise.test.ts tests.
//
// The numbers in both tables are part of the wire (docs/wire-protocol.md §4 and §8) and never
// change.

import { refuseUnknown } from './config.ts';
import { fieldsOf, type TextFields } from './text.ts';

/**
 * gRPC's status codes by name, with the number that is sent on the wire. `shutdown` is Trunkline's
 * own and is sent as `unavailable`.
 */
export const ERROR_CODES = {
  cancelled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16,
  shutdown: 14,
} as const;

/** The kind of a failure. The table is closed: adding a code requires a new major version. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * The specific causes of failures: each with its code and its number in a GO_AWAY or ERROR frame.
 * Reasons with number 0 concern one end only and are left out of these frames. For `refused`, the
 * code applies if `admit` threw something other than a TransportError.
 */
export const ERROR_REASONS = {
  idle: { wire: 1, code: 'unavailable' },
  closed: { wire: 2, code: 'unavailable' },
  disconnected: { wire: 3, code: 'unavailable' },
  wrong_network: { wire: 4, code: 'failed_precondition' },
  wrong_version: { wire: 5, code: 'failed_precondition' },
  refused: { wire: 6, code: 'permission_denied' },
  self: { wire: 7, code: 'failed_precondition' },
  duplicate: { wire: 8, code: 'already_exists' },
  full: { wire: 9, code: 'resource_exhausted' },
  identity_mismatch: { wire: 10, code: 'unauthenticated' },
  denied: { wire: 11, code: 'permission_denied' },
  malformed: { wire: 12, code: 'internal' },
  flood: { wire: 13, code: 'resource_exhausted' },
  too_large: { wire: 14, code: 'resource_exhausted' },
  bad_certificate: { wire: 15, code: 'unauthenticated' },
  expired_certificate: { wire: 20, code: 'unauthenticated' },
  connection_refused: { wire: 0, code: 'unavailable' },
  host_not_found: { wire: 0, code: 'unavailable' },
  no_addresses: { wire: 0, code: 'unavailable' },
  address_in_use: { wire: 0, code: 'unavailable' },
  not_advertisable: { wire: 0, code: 'invalid_argument' },
  wrong_preamble: { wire: 0, code: 'internal' },
  dial_timeout: { wire: 0, code: 'unavailable' },
  handshake_timeout: { wire: 16, code: 'unavailable' },
  ping_timeout: { wire: 0, code: 'unavailable' },
  reset: { wire: 0, code: 'unavailable' },
  channel_mismatch: { wire: 17, code: 'failed_precondition' },
  version_mismatch: { wire: 18, code: 'failed_precondition' },
  draining: { wire: 19, code: 'unavailable' },
  no_shared_protocol: { wire: 0, code: 'failed_precondition' },
} as const satisfies Record<string, { wire: number; code: ErrorCode }>;

/** The specific cause of a failure. The table is closed; most errors have no reason. */
export type ErrorReason = keyof typeof ERROR_REASONS;

/** Details of a TransportError; all are optional. */
export interface TransportErrorOptions {
  /** A more precise cause than the code. */
  reason?: ErrorReason | undefined;
  /** The address, node id or endpoint that the call was for. */
  target?: string | undefined;
  /**
   * Whether a handler may have seen the call. `false` means that none has, so it is safe to retry
   * the call.
   */
  sent?: boolean | undefined;
  /** See {@link TransportError.unreachable}. */
  unreachable?: boolean | undefined;
  /**
   * The end that detected the failure: this one ('local') or the peer ('remote'). Default 'local'.
   */
  origin?: 'local' | 'remote' | undefined;
  /**
   * Sent to the caller along with the error, at most 8 KiB: for example the leader's address. If it
   * can't be sent, the caller gets a field `trunkline-metadata` instead, which says why.
   */
  metadata?: TextFields | undefined;
  /** The error that caused this one; it is never sent to a peer. */
  cause?: unknown;
}

const OPTIONS = ['reason', 'target', 'sent', 'unreachable', 'origin', 'metadata', 'cause'] as const;

const brand = Symbol.for('trunkline.TransportError');

/**
 * The error that public functions of Trunkline throw or reject with. Misuse by the programmer
 * causes a TypeError instead.
 */
export class TransportError extends Error {
  static {
    // Bundlers rename a class that names itself here, and the console shows '_TransportError'.
    // biome-ignore lint/complexity/noThisInStatic: see above
    Object.defineProperties(this.prototype, {
      name: { value: 'TransportError', configurable: true, writable: true },
      [brand]: { value: true },
    });
  }

  /** The kind of failure; the documentation of errors lists them all. */
  readonly code: ErrorCode;
  /** A more precise cause than the code; undefined if the code is precise enough. */
  readonly reason: ErrorReason | undefined;
  /** The address, node id or endpoint that the call was for. */
  readonly target: string | undefined;
  /** Whether a handler may have seen the call; undefined if no call failed. */
  readonly sent: boolean | undefined;
  /**
   * Set if no connection came up, because its dial or its handshake failed. `false` if this end is
   * the cause: it closes, it has no file descriptor or place for a connection left, it cannot make
   * its hello, or its own certificate has expired. `true` otherwise; then another address may do.
   * It is never sent.
   */
  readonly unreachable: boolean | undefined;
  /** The end that detected the failure. */
  readonly origin: 'local' | 'remote';
  /** Application data that came with the error. */
  readonly metadata: Readonly<Record<string, string>> | undefined;

  /**
   * @throws TypeError for a code, a reason or an option that does not exist, and for `metadata`
   * that is neither a plain object nor pairs with different names. Its values are checked when it
   * is sent.
   */
  constructor(code: ErrorCode, message: string, options: TransportErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    refuseUnknown(options, 'TransportError', OPTIONS);
    refuseForeign(code, 'code', ERROR_CODES);
    if (options.reason !== undefined) refuseForeign(options.reason, 'reason', ERROR_REASONS);
    this.code = code;
    this.reason = options.reason;
    this.target = options.target;
    this.sent = options.sent;
    this.unreachable = options.unreachable;
    this.origin = options.origin ?? 'local';
    this.metadata = options.metadata && fieldsOf(options.metadata, 'TransportError: metadata');
  }

  /** Also returns true for an error that was created by another copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return (
      typeof value === 'object' &&
      value !== null &&
      (value as Record<symbol, unknown>)[brand] === true
    );
  }
}

function refuseForeign(value: string, what: string, table: object): void {
  if (Object.hasOwn(table, value)) return;
  const known = Object.keys(table).join(', ');
  throw new TypeError(`'${value}' is not a TransportError ${what}; the ${what}s are ${known}`);
}

/**
 * Returns a copy of an error with details of one call or one target, because one error object must
 * never be handed out to several callers. Details that are undefined stay as they are in `error`.
 */
export function withDetails(
  error: TransportError,
  details: TransportErrorOptions,
  message: string = error.message,
): TransportError {
  const merged: TransportErrorOptions = {};
  for (const name of OPTIONS) merged[name] = (details[name] ?? error[name]) as never;
  return new TransportError(error.code, message, merged);
}

/**
 * Returns a copy as {@link withDetails} does, but without a stack trace, in a sixth of the time.
 * Use it if many calls fail at the same time, or if a call fails on a later turn than the one that
 * made it: a stack trace would show only the code that reports the failure.
 */
export function withoutStack(
  error: TransportError,
  details: TransportErrorOptions,
  message?: string,
): TransportError {
  return untraced(() => withDetails(error, details, message));
}

/** Returns the code that a wire number stands for; 'unknown' for unknown numbers (gRPC's rule). */
export function codeOf(number: number): ErrorCode {
  return codeByNumber[number] ?? 'unknown';
}

/** Returns the wire number of a reason; 0 if the reason is undefined or has none. */
export function reasonNumber(reason: ErrorReason | undefined): number {
  return reason === undefined ? 0 : ERROR_REASONS[reason].wire;
}

/** Returns the reason that a wire number stands for; undefined for 0 and unknown numbers. */
export function reasonOf(number: number): ErrorReason | undefined {
  return reasonByNumber[number];
}

/** Returns true if a connection that ends with this error ends gracefully. */
export function isOrderly({ reason }: TransportError): boolean {
  return reason !== undefined && ORDERLY.has(reason);
}

const ORDERLY = new Set<ErrorReason>(['idle', 'closed', 'disconnected', 'duplicate', 'draining']);

/** Creates an error with this reason and the code that the table assigns to it. */
export function reasonError(
  reason: ErrorReason,
  message: string,
  options: Omit<TransportErrorOptions, 'reason'> = {},
): TransportError {
  return new TransportError(ERROR_REASONS[reason].code, message, { ...options, reason });
}

/**
 * Creates a TransportError without a stack trace, in a sixth of the time. Use it for errors that a
 * peer can cause as often as it likes, and whose stack trace would show only the code that reads
 * frames.
 */
export function stackless(
  code: ErrorCode,
  message: string,
  options?: TransportErrorOptions,
): TransportError {
  return untraced(() => new TransportError(code, message, options));
}

/** Calls a function that creates an error, with stack traces off. */
function untraced(create: () => TransportError): TransportError {
  const depth = traceDepth(0);
  try {
    return create();
  } finally {
    traceDepth(depth);
  }
}

/**
 * Sets the maximum number of frames in a stack trace and returns the previous one. Use it around
 * code that throws foreign errors (`JSON.parse`) if a peer can cause them as often as it likes.
 * Does nothing and returns undefined if `depth` is undefined, if the engine has no such limit, or
 * if `Error` is frozen; so the result can always be passed back to restore the limit.
 */
export function traceDepth(depth: number | undefined): number | undefined {
  const traced = Error as { stackTraceLimit?: number };
  const before = traced.stackTraceLimit;
  if (before === undefined || depth === undefined) return undefined;
  try {
    traced.stackTraceLimit = depth;
  } catch {
    return undefined;
  }
  return before;
}

/**
 * Wraps a function so that the stacks of the errors it rejects with end with the caller's stack.
 * Such an error is created on a later turn, so its own stack does not include the caller. `what`
 * names the function in the error.
 */
export function withCallerStack<A extends unknown[], R>(
  what: string,
  call: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  const wrapped = (...args: A): Promise<R> => {
    const here: { stack?: string } = {};
    (Error as { captureStackTrace?(target: object, above: unknown): void }).captureStackTrace?.(
      here,
      wrapped,
    );
    const { stack = new Error().stack } = here;
    const result = call(...args);
    const traced = result.catch((error: unknown) => {
      if (error instanceof Error && stack !== undefined)
        error.stack = `${error.stack}\n${what} was called:\n${stack.slice(stack.indexOf('\n') + 1)}`;
      throw error;
    });
    return Symbol.asyncIterator in result ? iterable(traced) : traced;
  };
  return wrapped;
}

const codeByNumber: (ErrorCode | undefined)[] = [];
for (const [name, number] of Object.entries(ERROR_CODES))
  if (name !== 'shutdown') codeByNumber[number] = name as ErrorCode;
const reasonByNumber: (ErrorReason | undefined)[] = [];
for (const [name, { wire }] of Object.entries(ERROR_REASONS))
  if (wire > 0) reasonByNumber[wire] = name as ErrorReason;

// A promise of a stream that is iterable itself, so that a loop need not await it first.

/**
 * Makes the promise of a stream iterable, and returns it. Iterating the promise does the same as
 * iterating the stream that it resolves to. If it rejects, the loop throws its error.
 */
export function iterable<P extends Promise<any>>(promise: P): P {
  return Object.defineProperty(promise, Symbol.asyncIterator, { value: iterate });
}

function iterate(this: Promise<AsyncIterable<unknown>>): AsyncIterator<unknown> {
  const iterator = this.then((items) => items[Symbol.asyncIterator]());
  return {
    next: () => iterator.then((items) => items.next()),
    return: () => iterator.then((items) => items.return?.() ?? { value: undefined, done: true }),
  };
}

// The one error class of Trunkline, and the two closed tables behind it: codes (what kind of failure) and reasons (which cause).

/** gRPC's status codes, by name, with the number that crosses the wire; `shutdown` is ours and crosses as `unavailable`. */
export const CODES = {
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

/** What kind of failure it is. The table is closed: a new code is a new major version. */
export type Code = keyof typeof CODES;

/**
 * Which of several causes of one code it was: its code, and its number in a GO_AWAY or ERROR frame. Those with number 0 are
 * found by one end alone and never cross the wire. `refused` is the code where `admit` threw something else than a TransportError.
 */
export const REASONS = {
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
  connection_refused: { wire: 0, code: 'unavailable' },
  host_not_found: { wire: 0, code: 'unavailable' },
  address_in_use: { wire: 0, code: 'unavailable' },
  not_advertisable: { wire: 0, code: 'invalid_argument' },
  wrong_preamble: { wire: 0, code: 'internal' },
  dial_timeout: { wire: 0, code: 'unavailable' },
  handshake_timeout: { wire: 16, code: 'unavailable' },
  ping_timeout: { wire: 0, code: 'unavailable' },
  reset: { wire: 0, code: 'unavailable' },
  channel_mismatch: { wire: 17, code: 'failed_precondition' },
  version_mismatch: { wire: 18, code: 'failed_precondition' },
  no_shared_protocol: { wire: 0, code: 'failed_precondition' },
} as const satisfies Record<string, { wire: number; code: Code }>;

/** Which cause of a code it was. The table is closed; most errors have none. */
export type Reason = keyof typeof REASONS;

export interface TransportErrorOptions {
  reason?: Reason | undefined;
  /** The address, node id or endpoint that the call was for. */
  target?: string | undefined;
  /** May a handler have seen the call? `false`: surely not, so it can be made again without harm. */
  sent?: boolean | undefined;
  /** Who found the failure: this end, or the peer. Default 'local'. */
  origin?: 'local' | 'remote' | undefined;
  /** Crosses the wire with an answer (at most 8 KiB): the leader's address, say. */
  metadata?: Record<string, string> | undefined;
  cause?: unknown;
}

const brand = Symbol.for('trunkline.TransportError');

/** Every failure that a public function of Trunkline reports. Misuse by the programmer is a TypeError instead. */
export class TransportError extends Error {
  static {
    // biome-ignore lint/complexity/noThisInStatic: bundlers rename a class that names itself here, and the console shows '_TransportError'.
    Object.defineProperties(this.prototype, {
      name: { value: 'TransportError', configurable: true, writable: true },
      [brand]: { value: true },
    });
  }

  readonly code: Code;
  readonly reason: Reason | undefined;
  readonly target: string | undefined;
  readonly sent: boolean | undefined;
  readonly origin: 'local' | 'remote';
  readonly metadata: Readonly<Record<string, string>> | undefined;

  constructor(code: Code, message: string, options: TransportErrorOptions = {}) {
    super(message, 'cause' in options && options.cause !== undefined ? { cause: options.cause } : undefined);
    if (!Object.hasOwn(CODES, code)) throw new TypeError(`'${code}' is no code of a TransportError; the codes are ${Object.keys(CODES).join(', ')}`);
    if (options.reason !== undefined && !Object.hasOwn(REASONS, options.reason)) {
      throw new TypeError(`'${options.reason}' is no reason of a TransportError; the reasons are ${Object.keys(REASONS).join(', ')}`);
    }
    this.code = code;
    this.reason = options.reason;
    this.target = options.target;
    this.sent = options.sent;
    this.origin = options.origin ?? 'local';
    this.metadata = options.metadata;
  }

  /** True also for an error of a second copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true;
  }
}

/** The same failure as one call's, or one target's, own error: what is shared by many is never handed out twice. */
export function withDetails(error: TransportError, details: TransportErrorOptions): TransportError {
  return new TransportError(error.code, error.message, {
    reason: details.reason ?? error.reason,
    target: details.target ?? error.target,
    sent: details.sent ?? error.sent,
    origin: details.origin ?? error.origin,
    metadata: details.metadata ?? error.metadata,
    cause: details.cause ?? error.cause,
  });
}

/** The number of a code on the wire. */
export function codeNumber(code: Code): number {
  return CODES[code];
}

/** The code of a number on the wire; one that is unknown to us reads as 'unknown' (gRPC's rule). */
export function codeOf(number: number): Code {
  return codeByNumber[number] ?? 'unknown';
}

/** The number of a reason on the wire, 0 where it has none. */
export function reasonNumber(reason: Reason | undefined): number {
  return reason === undefined ? 0 : REASONS[reason].wire;
}

/** The reason of a number on the wire; 0 and what is unknown to us are none. */
export function reasonOf(number: number): Reason | undefined {
  return reasonByNumber[number];
}

/** The error of a reason, with the code that the table gives it. */
export function reasonError(reason: Reason, message: string, options: Omit<TransportErrorOptions, 'reason'> = {}): TransportError {
  return new TransportError(REASONS[reason].code, message, { ...options, reason });
}

/**
 * Makes a TransportError without a stack trace, in a sixth of the time. For errors that a peer can cause as often as it likes, and whose
 * stack would show only how a frame is read.
 */
export function stackless(code: Code, message: string, options?: TransportErrorOptions): TransportError {
  const { stackTraceLimit } = Error as { stackTraceLimit?: number };
  // Not of every engine. Where `Error` is frozen, `Reflect.set` is without effect instead of an exception.
  if (stackTraceLimit === undefined) return new TransportError(code, message, options);
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return new TransportError(code, message, options);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/**
 * Sets how many frames a stack trace takes and returns how many it took before, for a stretch of code whose foreign errors (`JSON.parse`)
 * a peer can cause as often as it likes. Does nothing where the engine has no such limit, or `Error` is frozen.
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

const codeByNumber: (Code | undefined)[] = [];
for (const [name, number] of Object.entries(CODES)) if (name !== 'shutdown') codeByNumber[number] = name as Code;
const reasonByNumber: (Reason | undefined)[] = [];
for (const [name, { wire }] of Object.entries(REASONS)) if (wire > 0) reasonByNumber[wire] = name as Reason;

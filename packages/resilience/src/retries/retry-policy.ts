// The retry policies of methods: which calls may be retried, how often and when.

import type { ErrorCode } from '@trunkline/transport-core';
import {
  ERROR_CODES,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';

/** The rules for retrying calls to a method. */
export interface RetryPolicy {
  /**
   * True if handling a call twice has the same effect as once. Only then may a call be hedged, or
   * be retried after a handler may have seen it. Default false.
   */
  readonly idempotent?: boolean | undefined;
  /**
   * Maximum number of attempts of a call, including the first one: 1 to 10, or `Infinity`, with
   * which a call is repeated until its deadline. Default 3. Unless it is 1, a call that reached no
   * server also goes on to each untried address of a balancer.
   */
  readonly attempts?: number | undefined;
  /** The codes after which an idempotent call is retried. Default `['unavailable']`. */
  readonly codes?: readonly ErrorCode[] | undefined;
  /**
   * Maximum number of milliseconds before the first retry; a retry waits a random part of its
   * back-off. Default 25.
   */
  readonly initialBackoff?: number | undefined;
  /** The longest back-off in milliseconds, at least `initialBackoff`. Default 1,000. */
  readonly maxBackoff?: number | undefined;
  /** The factor by which the back-off grows with each retry, 1 to 100. Default 2. */
  readonly backoffFactor?: number | undefined;
  /**
   * The time, in milliseconds, after which an idempotent unary call without an answer is sent once
   * more, while earlier attempts continue; again after each further attempt, up to `attempts`. The
   * first answer counts, and the other attempts are canceled. An attempt that fails while another
   * one is pending is replaced at once, or after a back-off if `attempts` is `Infinity`. Default:
   * never.
   */
  readonly hedgeDelay?: number | undefined;
  /**
   * The time, in milliseconds, after which an attempt of an idempotent unary call is canceled and
   * counts as failed, so that the call is retried. Default: an attempt may take as long as the
   * whole call.
   */
  readonly attemptTimeout?: number | undefined;
}

/** A policy with all defaults filled in. */
export interface CompletePolicy {
  readonly idempotent: boolean;
  readonly attempts: number;
  readonly codes: ReadonlySet<ErrorCode>;
  readonly initialBackoff: number;
  readonly maxBackoff: number;
  readonly backoffFactor: number;
  readonly hedgeDelay: number | undefined;
  readonly attemptTimeout: number | undefined;
}

/** Finds the policy of a method. */
export class RetryPolicies {
  readonly #policies = new Map<string, CompletePolicy>();
  /** The policies of the methods that were called, by protocol and method. */
  readonly #found = new Map<string, Map<string, CompletePolicy>>();

  /** @throws TypeError that names the invalid policy. */
  constructor(methods: Readonly<Record<string, RetryPolicy>>, where: string) {
    for (const [name, policy] of Object.entries(methods)) {
      if (name !== '*' && !/^[^/]+\/[^/]+$/.test(name))
        throw new TypeError(
          `${where}: methods: '${name}' must be 'protocol/method', 'protocol/*' or '*'`,
        );
      this.#policies.set(name, completed(policy, `${where}: methods['${name}']`));
    }
  }

  of(protocol: string, method: string): CompletePolicy {
    return this.#found.get(protocol)?.get(method) ?? this.#find(protocol, method);
  }

  #find(protocol: string, method: string): CompletePolicy {
    const policies = this.#policies;
    const policy =
      policies.get(`${protocol}/${method}`) ??
      policies.get(`${protocol}/*`) ??
      policies.get('*') ??
      DEFAULT;
    // Mounted protocols have few methods, so this table is small, too.
    const methods = this.#found.get(protocol) ?? new Map<string, CompletePolicy>();
    this.#found.set(protocol, methods.set(method, policy));
    return policy;
  }
}

function completed(policy: RetryPolicy, where: string): CompletePolicy {
  const { codes, ...rest } = parseOptions(schema, policy, where);
  if (!rest.idempotent && (rest.hedgeDelay !== undefined || rest.attemptTimeout !== undefined))
    throw new TypeError(
      `${where}: hedgeDelay and attemptTimeout repeat calls that a handler may have seen, so they need idempotent: true`,
    );
  if (rest.maxBackoff < rest.initialBackoff)
    throw new TypeError(
      `${where}: maxBackoff must be at least initialBackoff (${rest.initialBackoff}), got ${rest.maxBackoff}`,
    );
  return {
    ...rest,
    hedgeDelay: rest.hedgeDelay,
    attemptTimeout: rest.attemptTimeout,
    codes: new Set(codes),
  };
}

const schema = optionsSchema({
  idempotent: option.withDefault(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    false,
  ),
  attempts: option.withDefault(
    option.reference<number>(
      (value) =>
        value === Number.POSITIVE_INFINITY ||
        (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 10),
      'an integer from 1 to 10, or Infinity',
    ),
    3,
  ),
  codes: option.withDefault(
    option.reference<readonly ErrorCode[]>(
      (value) => Array.isArray(value) && value.every((code) => Object.hasOwn(ERROR_CODES, code)),
      'a list of codes',
    ),
    ['unavailable'],
  ),
  initialBackoff: option.withDefault(option.milliseconds(), 25),
  maxBackoff: option.withDefault(option.milliseconds(), 1_000),
  backoffFactor: option.withDefault(
    option.reference<number>(
      (value) => typeof value === 'number' && value >= 1 && value <= 100,
      'a number from 1 to 100',
    ),
    2,
  ),
  hedgeDelay: option.optional(option.milliseconds()),
  attemptTimeout: option.optional(option.milliseconds()),
});

const DEFAULT = completed({}, 'the default policy');

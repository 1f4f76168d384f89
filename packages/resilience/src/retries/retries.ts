// The client interceptor that retries calls according to the policies of their methods.

import type { ClientCall, ClientInterceptor, Clock, Random } from '@trunkline/transport-core';
import {
  type ClientNext,
  type OptionField,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import { clockField, number, randomField } from '../option-fields.ts';
import { KeptUpload } from './kept-upload.ts';
import {
  type Counted,
  isOfItems,
  nameOf,
  RepeatedCall,
  type RepeatedCallHost,
} from './repeated-call.ts';
import { RepeatedItems } from './repeated-items.ts';
import { RetryPolicies, type RetryPolicy } from './retry-policy.ts';
import { RetryThrottle } from './retry-throttle.ts';

/** Options of {@link createRetries}; all are optional. */
export interface RetriesOptions {
  /**
   * The policies of methods, by `'protocol/method'`, `'protocol/*'` or `'*'`; the most specific one
   * applies. Without a policy, a call is retried only while no handler can have seen it.
   */
  readonly methods?: Readonly<Record<string, RetryPolicy>> | undefined;
  /**
   * The token buckets that stop retries and hedges while calls fail: one for each target, as the
   * program names it. Without tokens, one retry a second for each target, and ten for all targets
   * together, are still made, except after timeouts and overload. Calls that reached no server are
   * retried without tokens. `false` turns the buckets off; then a failure can grow into a retry
   * storm.
   */
  readonly throttle?:
    | {
        /**
         * The size of a bucket, 1 to 1,000,000. Retries stop while half of it or less is left.
         * Default 10, the example of gRFC A6: five consecutive failed attempts stop retries. A
         * client with many calls in flight needs more: twice its number of calls in flight to one
         * server, because all of these calls fail together if that server dies.
         */
        readonly tokens?: number | undefined;
        /**
         * The part of a token that a successful call returns, 0.001 to 1. In the long run, this is
         * the maximum number of attempts that take tokens for each call that succeeds. Default 0.1.
         */
        readonly ratio?: number | undefined;
      }
    | false
    | undefined;
  /** The clock of the transport. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** The source of random numbers. Default: the system's. */
  readonly random?: Random | undefined;
}

/** Retries, made by {@link createRetries}. */
export interface Retries {
  /** The interceptor. Pass it among the transport's client interceptors, before the balancer's. */
  readonly interceptor: ClientInterceptor;
  /** Returns the counters as plain data. */
  snapshot(): {
    /** Number of calls made by the program. */
    readonly calls: number;
    /** Number of attempts after a failure. */
    readonly retries: number;
    /** Number of attempts that were sent while another one was pending. */
    readonly hedges: number;
    /** Number of attempts that were not made because too many calls failed. */
    readonly throttled: number;
    /** Number of calls that were not retried because the server asked for that. */
    readonly pushbacks: number;
    /**
     * The targets whose buckets are not full, and the numbers of tokens that are left. While no
     * more than half of them are left, a target has only the retries of the floor.
     */
    readonly targets: readonly { readonly target: string; readonly tokens: number }[];
  };
}

/**
 * Creates an interceptor that retries failed calls, as in gRFC A6. The interceptor holds no timers
 * or connections except those of pending calls. The deadline of a call covers all its attempts.
 *
 * @throws TypeError that names the invalid option.
 */
export function createRetries(options: RetriesOptions = {}): Retries {
  return new Retrying(options);
}

class Retrying implements Retries, RepeatedCallHost {
  readonly interceptor: ClientInterceptor;
  readonly clock: Clock;
  readonly random: Random;
  readonly throttle: RetryThrottle;
  readonly #policies: RetryPolicies;
  readonly #counts = { retry: 0, hedge: 0, throttled: 0, pushback: 0 };
  #calls = 0;

  constructor(options: RetriesOptions) {
    const { methods, throttle, clock, random } = parseOptions(schema, options, 'createRetries');
    this.#policies = new RetryPolicies(methods, 'createRetries');
    this.throttle = throttle;
    this.clock = clock;
    this.random = random;
    this.interceptor = (next) => (call) => this.#send(next, call);
  }

  count(what: Counted): void {
    this.#counts[what]++;
  }

  #send(next: ClientNext, call: ClientCall): Promise<unknown> {
    this.#calls++;
    const policy = this.#policies.of(call.protocol, call.method);
    const { target, metadata, request, signal } = call;
    const upload = call.upload && new KeptUpload(call.upload);
    call.upload = upload;
    const original = { target, metadata, request, upload, signal };
    const repeated = () => new RepeatedCall(this, next, call, original, policy);
    if (isOfItems(call)) return this.#sendForItems(next(call), nameOf(target), repeated, upload);
    const succeeded = (value: unknown) => {
      this.throttle.succeeded(nameOf(target));
      return value;
    };
    const isTimed = policy.hedgeDelay !== undefined || policy.attemptTimeout !== undefined;
    const result =
      isTimed && call.kind === 'unary'
        ? repeated().start()
        : next(call).then(succeeded, (error) => repeated().failed(error));
    if (upload === undefined) return result;
    return result.finally(() => upload.settle());
  }

  /** Repeats a call until the first of its items has arrived. */
  #sendForItems(
    first: Promise<unknown>,
    target: string,
    create: () => RepeatedCall,
    upload: KeptUpload | undefined,
  ): Promise<unknown> {
    let call: RepeatedCall | undefined;
    const again = (error: unknown) => {
      call ??= create();
      return call.failed(error);
    };
    const begun = (isGood: boolean) => {
      if (isGood) this.throttle.succeeded(target);
      upload?.settle();
    };
    return first.catch(again).then(
      (items) => {
        const repeated = new RepeatedItems(items, { again, begun, left: () => call?.leave() });
        // An attempt that leaves the upload unread has ended: it may have been refused. The call
        // must not keep its items from becoming garbage.
        const weakly = new WeakRef(repeated);
        if (upload !== undefined) upload.left = () => weakly.deref()?.begin();
        return repeated;
      },
      (error) => {
        upload?.settle();
        throw error;
      },
    );
  }

  snapshot(): ReturnType<Retries['snapshot']> {
    const { retry, hedge, throttled, pushback } = this.#counts;
    return {
      calls: this.#calls,
      retries: retry,
      hedges: hedge,
      throttled,
      pushbacks: pushback,
      targets: this.throttle.targets,
    };
  }
}

const throttleOptions = optionsSchema({
  tokens: option.withDefault(number(1, 1_000_000), 10),
  ratio: option.withDefault(number(0.001, 1), 0.1),
});

const throttle: OptionField<RetriesOptions['throttle'], RetryThrottle> = {
  read(given, path, wrong) {
    if (given === false) return new RetryThrottle(Number.POSITIVE_INFINITY, 1);
    const before = wrong.length;
    const { tokens, ratio } = throttleOptions.read(given ?? {}, path, wrong);
    return wrong.length > before ? new RetryThrottle(1, 1) : new RetryThrottle(tokens, ratio);
  },
};

const schema = optionsSchema({
  methods: option.withDefault(
    option.reference<Readonly<Record<string, RetryPolicy>>>(
      (value) => typeof value === 'object' && value !== null,
      "policies by 'protocol/method'",
    ),
    {},
  ),
  throttle,
  clock: clockField,
  random: randomField,
});

// Sends one request to many targets and yields the answers as they arrive, until there are enough.

import {
  type CallOptions,
  type Protocol,
  type RequestInput,
  type ResponseOf,
  type Target,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import {
  fieldsOf,
  type KindOf,
  type MethodName,
  refuseUnknown,
} from '@trunkline/transport-core/backend';

/** One target's answer: a response or an error. */
export type MulticastAnswer<Response> =
  | { readonly target: Target; readonly response: Response; readonly error?: undefined }
  | { readonly target: Target; readonly error: TransportError; readonly response?: undefined };

/** Options of a multicast; `timeout`, `signal` and `metadata` apply to each call. */
export interface MulticastOptions<Response> extends CallOptions {
  /**
   * The condition that ends the multicast. Only responses count, not errors. Default 'all'.
   *
   * - 'all': every target has answered.
   * - 'first': one response has arrived.
   * - a number: this many responses have arrived (at least 1; a number above the number of targets
   *   means 'all').
   * - 'quorum': a majority of the targets and the caller, including the caller itself: with 4
   *   targets, 2 responses.
   * - a function: called after each answer, errors included, with all answers so far; returning
   *   true ends it.
   */
  readonly until?:
    | 'all'
    | 'first'
    | 'quorum'
    | number
    | ((answers: readonly MulticastAnswer<Response>[]) => boolean)
    | undefined;
  /**
   * Determines what happens to calls that have not been answered when the multicast ends or its
   * loop is left: 'cancel' cancels them, 'run' lets them finish and ignores their answers. Default
   * 'cancel'.
   */
  readonly rest?: 'cancel' | 'run' | undefined;
}

/** The methods that can be multicast: methods with one response and no streams. */
export type UnaryName<P extends Protocol> = {
  [N in MethodName<P>]: KindOf<P, N> extends 'unary' ? N : never;
}[MethodName<P>];

/**
 * Sends a request to every target before it returns, and yields each answer as it arrives. It ends
 * when `until` holds or when all targets have answered. A target that fails yields its error and
 * does not affect the others. A target that is listed twice is called twice. Invalid options throw
 * a TypeError here; other misuse, and errors of an `until` function, are thrown in the loop.
 */
export function multicast<P extends Protocol, N extends UnaryName<P>>(
  transport: Pick<Transport<P>, 'send' | 'protocol'>,
  targets: readonly Target[],
  method: N,
  request: RequestInput<P, N>,
  options: MulticastOptions<ResponseOf<P, N>> = {},
): AsyncIterableIterator<MulticastAnswer<ResponseOf<P, N>>> {
  refuseUnknown(options, 'multicast', OPTIONS);
  const { timeout } = options;
  const metadata = options.metadata && fieldsOf(options.metadata, 'multicast: metadata');
  return new Multicast(
    targets,
    enough(options.until === undefined ? 'all' : options.until, targets.length),
    rule(options.rest),
    options.signal,
    (target, signal) => {
      const send = transport.send as unknown as (
        target: Target,
        method: string,
        request: unknown,
        options: CallOptions,
      ) => Promise<ResponseOf<P, N>>;
      return send.call(transport, target, method, request, { timeout, metadata, signal });
    },
  );
}

const OPTIONS = ['timeout', 'signal', 'metadata', 'until', 'rest'] as const;

type Until<Response> = (
  answers: readonly MulticastAnswer<Response>[],
  responses: number,
) => boolean;

/**
 * The iterator behind `multicast`. It holds the calls in flight, all answers so far, and one
 * waiting reader for each pending `next()`.
 */
class Multicast<Response> implements AsyncIterableIterator<MulticastAnswer<Response>> {
  readonly #until: Until<Response>;
  readonly #rest: 'cancel' | 'run';
  readonly #outer: AbortSignal | undefined;
  /**
   * One controller for each call in flight, because Node warns of a leak if one signal has more
   * than ten listeners.
   */
  readonly #calls = new Set<AbortController>();
  readonly #answers: MulticastAnswer<Response>[] = [];
  #responses = 0;
  #read = 0;
  #waiting: ((result: IteratorResult<MulticastAnswer<Response>>) => void)[] = [];
  #failure: { error: unknown } | undefined;
  #over = false;
  readonly #onAbort = () => this.#abort(this.#outer?.reason);

  constructor(
    targets: readonly Target[],
    until: Until<Response>,
    rest: 'cancel' | 'run',
    outer: AbortSignal | undefined,
    send: (target: Target, signal: AbortSignal) => Promise<Response>,
  ) {
    this.#until = until;
    this.#rest = rest;
    this.#outer = outer;
    outer?.addEventListener('abort', this.#onAbort, { once: true });
    for (const target of targets) {
      const call = new AbortController();
      this.#calls.add(call);
      if (outer?.aborted) call.abort(outer.reason);
      send(target, call.signal).then(
        (response) => this.#answer(call, { target, response }),
        (error) =>
          error instanceof TransportError
            ? this.#answer(call, { target, error })
            : this.#fail(call, error),
      );
    }
    if (targets.length === 0) this.#finish();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<MulticastAnswer<Response>>> {
    const answer = this.#answers[this.#read];
    if (answer !== undefined) {
      this.#read++;
      return Promise.resolve({ done: false, value: answer });
    }
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<MulticastAnswer<Response>>> {
    this.#read = this.#answers.length;
    this.#failure = undefined;
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  #answer(call: AbortController, answer: MulticastAnswer<Response>): void {
    this.#settled(call);
    if (this.#over) return;
    this.#answers.push(answer);
    if (answer.error === undefined) this.#responses++;
    this.#serve();
    try {
      if (this.#until(this.#answers, this.#responses) || this.#calls.size === 0) this.#finish();
    } catch (error) {
      this.#failure = { error };
      this.#finish();
    }
  }

  #fail(call: AbortController, error: unknown): void {
    this.#settled(call);
    if (this.#over) return;
    this.#failure = { error };
    this.#finish();
  }

  #settled(call: AbortController): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#outer?.removeEventListener('abort', this.#onAbort);
  }

  #abort(reason: unknown): void {
    for (const call of [...this.#calls]) call.abort(reason);
  }

  /** Hands the answers that have arrived to waiting readers. */
  #serve(): void {
    while (this.#waiting.length > 0 && this.#read < this.#answers.length) {
      this.#waiting.shift()!({ done: false, value: this.#answers[this.#read++]! });
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#rest === 'cancel' || this.#calls.size === 0) {
      this.#outer?.removeEventListener('abort', this.#onAbort);
      if (this.#calls.size > 0)
        this.#abort(new TransportError('cancelled', 'multicast: enough targets have answered'));
    }
    for (const resolve of this.#waiting.splice(0)) resolve(this.next() as never);
  }
}

function enough<Response>(
  until: NonNullable<MulticastOptions<Response>['until']>,
  targets: number,
): Until<Response> {
  if (typeof until === 'function') return (answers) => until(answers);
  if (until === 'all') return () => false;
  const needed = until === 'first' ? 1 : until === 'quorum' ? Math.floor((targets + 1) / 2) : until;
  if (!(Number.isInteger(needed) && needed >= 0) || until === 0) {
    throw new TypeError(
      `multicast: until: must be 'all', 'first', 'quorum', a whole number above 0 or a function, got ${String(until)}`,
    );
  }
  return (_, responses) => responses >= needed;
}

function rule(rest: MulticastOptions<unknown>['rest']): 'cancel' | 'run' {
  if (rest === undefined || rest === 'cancel' || rest === 'run') return rest ?? 'cancel';
  throw new TypeError(`multicast: rest: must be 'cancel' or 'run', got ${String(rest)}`);
}

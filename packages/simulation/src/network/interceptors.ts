// Interceptors: functions of the test that see each message as it arrives and decide what happens
// to it.

/** A message as an interceptor sees it when it arrives. */
export interface InterceptedMessage {
  /** The names of the sending and the receiving node or client. */
  readonly from: string;
  readonly to: string;
  /** 'bytes' is a chunk of a stream, about which nothing more is known. */
  readonly kind: 'request' | 'oneway' | 'response' | 'error' | 'item' | 'bytes';
  /** Empty if not known; the same holds for `method`. */
  readonly protocol: string;
  readonly method: string;
  /** Virtual milliseconds since the simulation began. */
  readonly at: number;
  /**
   * The encoded payload; for a message above `limits.packet` (default 64 KiB), its first packet. It
   * is not a copy: do not change it, and copy it if you keep it.
   */
  readonly payload: Uint8Array;
  /**
   * The payload, decoded by the method's codec at each access; the payload itself if there is no
   * codec.
   */
  readonly value: unknown;
}

/**
 * An interceptor's decision about a message; undefined is the same as 'pass'.
 * - 'drop' loses the message, as a bad link may do. If an item is dropped, the rest of its call is
 *   lost as well; if a chunk is dropped, its connection is reset.
 * - `delay` holds the message back for that many virtual milliseconds. Other messages may overtake
 *   it, but not the rest of the same long message or stream. Chunks of streams cannot be delayed.
 * - `mutate` replaces the value; for the kind 'bytes' it takes bytes. Errors cannot be mutated, and
 *   other messages must fit into one packet both before and after the mutation. A mutated item must
 *   not be longer than the original. All one-way messages that the reader of a connection has not
 *   taken yet may grow by 1 MiB in total for each channel, or by a quarter of the reader's
 *   `limits.credit.inbox` if that is less; copies (`duplicate`) take from the same reserve.
 *
 * The run fails if a mutation or a delay is not allowed.
 */
export type InterceptorVerdict =
  | 'pass'
  | 'drop'
  | { readonly delay: number }
  | { readonly mutate: unknown }
  | undefined;

/** Decides what happens to a message when it arrives. */
export type Interceptor = (message: InterceptedMessage) => InterceptorVerdict;

/** The interceptors of a simulation, in the order in which they were added. */
export class Interceptors {
  readonly #all = new Set<Interceptor>();

  clear(): void {
    this.#all.clear();
  }

  get empty(): boolean {
    return this.#all.size === 0;
  }

  /** Adds an interceptor, and returns a function that removes it. */
  add(interceptor: Interceptor): () => void {
    this.#all.add(interceptor);
    return () => void this.#all.delete(interceptor);
  }

  /**
   * Returns the first verdict other than 'pass', or undefined if all interceptors let the message
   * pass. Later interceptors do not see a message that has got a verdict.
   *
   * @throws TypeError if a verdict is malformed, and the error of an interceptor that throws.
   */
  judge(message: InterceptedMessage): Exclude<InterceptorVerdict, 'pass' | undefined> | undefined {
    for (const interceptor of this.#all) {
      const verdict = interceptor(message);
      if (verdict === undefined || verdict === 'pass') continue;
      if (verdict === 'drop' || isAction(verdict)) return verdict;
      throw new TypeError(
        `intercept: a verdict must be 'pass', 'drop', { delay } or { mutate }, got ${JSON.stringify(verdict)}`,
      );
    }
    return undefined;
  }

  /**
   * Judges a chunk of a stream. Returns the bytes that arrive, or undefined if the chunk is
   * dropped.
   *
   * @throws TypeError as `judge` does, or if the verdict delays the chunk or mutates it into
   * something other than bytes.
   */
  chunk(from: string, to: string, at: number, payload: Uint8Array): Uint8Array | undefined {
    const verdict = this.judge({
      from,
      to,
      kind: 'bytes',
      protocol: '',
      method: '',
      at,
      payload,
      value: payload,
    });
    if (verdict === undefined) return payload;
    if (verdict === 'drop') return undefined;
    if ('mutate' in verdict && verdict.mutate instanceof Uint8Array) return verdict.mutate;
    throw new TypeError(
      'intercept: a chunk of a stream can only pass, be dropped or be mutated into bytes; to delay it, use the latency of the link',
    );
  }
}

function isAction(verdict: unknown): boolean {
  if (typeof verdict !== 'object' || verdict === null) return false;
  const { delay } = verdict as { delay?: unknown };
  return (
    'mutate' in verdict ||
    (typeof delay === 'number' && delay >= 0 && delay < Number.POSITIVE_INFINITY)
  );
}

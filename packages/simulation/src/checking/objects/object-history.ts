// Histories of any object that clients share: a queue, a set, a counter, a lock, or a database of
// lists. For a key-value store, use `check.createHistory`.

/** A call of a client, and its answer, as plain data. */
export interface ObjectCall<Command, Result> {
  readonly client: string;
  readonly command: Command;
  /**
   * `ok`: the call completed. `failed`: it certainly had no effect. `open` (no answer yet) and
   * `unknown` (the client gave up): it may take effect at any time after the call, or never.
   */
  readonly outcome: 'open' | 'ok' | 'failed' | 'unknown';
  /** The result of an `ok` call; undefined if the client does not know it. */
  readonly result?: Result | undefined;
  /** Position of the call in the order of all calls and answers: 1, 2, 3 ... */
  readonly called: number;
  /** Position of the answer in the same order; undefined while the call is open. */
  readonly returned?: number | undefined;
  /**
   * Time of the call in milliseconds of the history's clock; undefined without one. It has no
   * effect on the check, but a failure shows it.
   */
  readonly calledAt?: number | undefined;
  /** Time of the answer. */
  readonly returnedAt?: number | undefined;
}

/** Takes the answer to a call; a second answer throws a TypeError. */
export interface ObjectCallHandle<Result> {
  /** Reports that the call completed. */
  ok(result?: Result): void;
  /** Reports that the call has had no effect and never will. */
  fail(): void;
  /** Reports that the call may have taken effect, or may still do so. */
  unknown(): void;
}

/**
 * Records the calls of all clients. The order of its methods' calls is the order of the history.
 */
export interface ObjectHistory<Command, Result> {
  /** Records a call of `client`. Neither the command nor its result is copied or checked. */
  call(client: string, command: Command): ObjectCallHandle<Result>;
  /** All calls in order. */
  readonly calls: readonly ObjectCall<Command, Result>[];
}

/**
 * Creates an empty history of calls with these commands and results.
 *
 * @param clock gives the time of each call and answer; pass the simulation, so that a failure shows
 * the moment of the violation.
 */
export function createObjectHistory<Command, Result>(clock?: {
  readonly now: number;
}): ObjectHistory<Command, Result> {
  const calls: ObjectCall<Command, Result>[] = [];
  let sequence = 0;
  return {
    calls,
    call(client, command) {
      const called = ++sequence;
      const place = calls.length;
      calls.push({ client, command, outcome: 'open', called, calledAt: clock?.now });
      const answer = (outcome: 'ok' | 'failed' | 'unknown', result?: Result) => {
        const call = calls[place]!;
        if (call.outcome !== 'open')
          throw new TypeError(
            `call ${place + 1} of the history, by ${client}, already has an outcome: ${call.outcome}`,
          );
        const returned = ++sequence;
        calls[place] = { ...call, outcome, result, returned, returnedAt: clock?.now };
      };
      return {
        ok: (result) => answer('ok', result),
        fail: () => answer('failed'),
        unknown: () => answer('unknown'),
      };
    },
  };
}

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
  /** Time of the call in virtual milliseconds, used only for printing. */
  readonly calledAt?: number | undefined;
  readonly returnedAt?: number | undefined;
}

/** Takes the answer to a call; a second answer throws a TypeError. `at` is used for printing. */
export interface ObjectCallHandle<Result> {
  /** Reports that the call completed. */
  ok(result?: Result, at?: number): void;
  /** Reports that the call has had no effect and never will. */
  fail(at?: number): void;
  /** Reports that the call may have taken effect, or may still do so. */
  unknown(at?: number): void;
}

/**
 * Records the calls of all clients. The order of its methods' calls is the order of the history.
 */
export interface ObjectHistory<Command, Result> {
  /** Records a call of `client` at `at`, in virtual milliseconds. */
  call(client: string, command: Command, at?: number): ObjectCallHandle<Result>;
  /** All calls in order. */
  readonly calls: readonly ObjectCall<Command, Result>[];
}

/** Creates an empty history of calls with these commands and results. */
export function createObjectHistory<Command, Result>(): ObjectHistory<Command, Result> {
  const calls: ObjectCall<Command, Result>[] = [];
  let sequence = 0;
  return {
    calls,
    call(client, command, calledAt) {
      const called = ++sequence;
      const place = calls.length;
      calls.push({ client, command, outcome: 'open', called, calledAt });
      const answer = (outcome: 'ok' | 'failed' | 'unknown', at?: number, result?: Result) => {
        const call = calls[place]!;
        if (call.outcome !== 'open')
          throw new TypeError(
            `call ${place + 1} of the history, by ${client}, already has an outcome: ${call.outcome}`,
          );
        calls[place] = { ...call, outcome, result, returned: ++sequence, returnedAt: at };
      };
      return {
        ok: (result, at) => answer('ok', at, result),
        fail: (at) => answer('failed', at),
        unknown: (at) => answer('unknown', at),
      };
    },
  };
}

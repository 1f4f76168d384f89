// The operations that show a violation, as plain data for the failure of a run and its recording.

/** The operations that a failed check found, and the moment at which they became a violation. */
export interface Violation {
  /**
   * The virtual time at which the culprit returned, in milliseconds; undefined if it did not, or
   * if the history was created without a clock.
   */
  readonly at: number | undefined;
  /** The operations in order of call. */
  readonly operations: readonly {
    readonly client: string;
    /** The command and its result: "get x -> 'a'". */
    readonly text: string;
    /** The virtual time of the call; undefined without a clock. */
    readonly from?: number | undefined;
    /** The virtual time of the return; undefined if it is not known, and without a clock. */
    readonly to?: number | undefined;
    /** True for the operation whose return completed the violation. */
    readonly culprit: boolean;
  }[];
}

/** An operation of a history, of any kind. */
interface Timed {
  readonly client: string;
  readonly outcome: 'open' | 'ok' | 'failed' | 'unknown';
  readonly called: number;
  readonly returned?: number | undefined;
  readonly calledAt?: number | undefined;
  readonly returnedAt?: number | undefined;
}

/**
 * Describes a violation. By default, the culprit is the operation that returned last; `operations`
 * must not be empty then.
 */
export function violationOf<T extends Timed>(
  operations: readonly T[],
  describe: (operation: T) => string,
  culprit: T = operations.reduce((one, other) => (endOf(one) < endOf(other) ? other : one)),
): Violation {
  return {
    at: culprit.returnedAt,
    operations: [...operations]
      .sort((one, other) => one.called - other.called)
      .map((operation) => ({
        client: operation.client,
        text: describe(operation),
        from: operation.calledAt,
        to: endOf(operation) > 0 ? operation.returnedAt : undefined,
        culprit: operation === culprit,
      })),
  };
}

/** Returns the violation of the first failed verdict among an error and its causes. */
export function violationIn(error: unknown): Violation | undefined {
  let link = error as { readonly violation?: Violation; readonly cause?: unknown } | undefined;
  for (let depth = 0; depth < DEPTH && typeof link === 'object' && link !== null; depth++) {
    if (Array.isArray(link.violation?.operations)) return link.violation;
    link = link.cause as typeof link;
  }
  return undefined;
}

/** Returns the position of the return; 0 if it is not known when the operation took effect. */
function endOf({ outcome, returned = 0 }: Timed): number {
  return outcome === 'ok' || outcome === 'failed' ? returned : 0;
}

/** The number of objects that are looked at, error included, because causes may form a loop. */
const DEPTH = 10;

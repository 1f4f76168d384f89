// Where a failed call was made: an error of a call is born on a turn of its own, and its stack knows nothing of the caller.

/** The same function; what it rejects with ends its stack with that of the caller. */
export function withCallerStack<A extends unknown[], R>(what: string, call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  const traced = (...args: A): Promise<R> => {
    const here: { stack?: string } = {};
    (Error as { captureStackTrace?(target: object, above: unknown): void }).captureStackTrace?.(here, traced);
    const { stack = new Error().stack } = here;
    return call(...args).catch((error: unknown) => {
      if (error instanceof Error && stack !== undefined) error.stack = `${error.stack}\n${what} was called:\n${stack.slice(stack.indexOf('\n') + 1)}`;
      throw error;
    });
  };
  return traced;
}

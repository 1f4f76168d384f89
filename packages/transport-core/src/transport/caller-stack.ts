// Adds the caller's stack to the errors of failed calls. Such an error is created on a later turn,
// so its own stack does not include the caller.

/** Wraps a function so that the errors it rejects with end with the caller's stack. */
export function withCallerStack<A extends unknown[], R>(
  what: string,
  call: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  const traced = (...args: A): Promise<R> => {
    const here: { stack?: string } = {};
    (Error as { captureStackTrace?(target: object, above: unknown): void }).captureStackTrace?.(
      here,
      traced,
    );
    const { stack = new Error().stack } = here;
    return call(...args).catch((error: unknown) => {
      if (error instanceof Error && stack !== undefined)
        error.stack = `${error.stack}\n${what} was called:\n${stack.slice(stack.indexOf('\n') + 1)}`;
      throw error;
    });
  };
  return traced;
}

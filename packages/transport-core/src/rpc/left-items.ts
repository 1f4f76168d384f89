// Closes streams that nobody will read, so that their sources can clean up.

/** Returns true if the value can be read with `for await`. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * Calls `return` of the iterator of a value, if the value is an async iterable. Never throws.
 *
 * @param failed receives an error of the clean-up.
 */
export function closeItems(value: unknown, failed: (error: unknown) => void): void {
  if (!isAsyncIterable(value)) return;
  try {
    Promise.resolve(value[Symbol.asyncIterator]().return?.()).catch(failed);
  } catch (error) {
    failed(error);
  }
}

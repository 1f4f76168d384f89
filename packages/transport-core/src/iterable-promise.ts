// A promise of a stream that is iterable itself, so that a loop need not await it first.

/**
 * Makes the promise of a stream iterable, and returns it. Iterating the promise does the same as
 * iterating the stream that it resolves to. If it rejects, the loop throws its error.
 */
export function iterable<P extends Promise<any>>(promise: P): P {
  return Object.defineProperty(promise, Symbol.asyncIterator, { value: iterate });
}

function iterate(this: Promise<AsyncIterable<unknown>>): AsyncIterator<unknown> {
  const iterator = this.then((items) => items[Symbol.asyncIterator]());
  return {
    next: () => iterator.then((items) => items.next()),
    return: () => iterator.then((items) => items.return?.() ?? { value: undefined, done: true }),
  };
}

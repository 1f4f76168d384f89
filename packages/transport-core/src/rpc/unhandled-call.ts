// The error of an interceptor that threw before it passed the call on: no handler has seen it.

/** Wraps the error of such an interceptor on its way to the answer. */
export class UnhandledCall {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

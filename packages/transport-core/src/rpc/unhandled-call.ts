// The error of an interceptor that threw before it passed the call on: no handler has seen it.

/** Wraps an interceptor's error, to mark that no handler has seen the call. */
export class UnhandledCall {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

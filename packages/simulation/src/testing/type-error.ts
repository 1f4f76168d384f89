// The errors that tests of options expect.

/** Returns the expectation of a TypeError with this message, for `t.throws` and `t.throwsAsync`. */
export const typeError = (message: RegExp | string) => ({ instanceOf: TypeError, message });

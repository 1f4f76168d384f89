// The interface of a test runner that the suites need. A suite receives `test` and imports no
// runner. AVA's `test` fits, and so does an adapter for any other runner.

/** The assertions that a case uses, a structural part of AVA's ExecutionContext. */
export interface TestContext {
  is<T>(actual: T, expected: T, message?: string): unknown;
  not<T>(actual: T, expected: T, message?: string): unknown;
  deepEqual<T>(actual: T, expected: T, message?: string): unknown;
  notDeepEqual<T>(actual: T, expected: T, message?: string): unknown;
  true(actual: unknown, message?: string): unknown;
  false(actual: unknown, message?: string): unknown;
  regex(actual: string, expected: RegExp, message?: string): unknown;
  throws(run: () => unknown, expectation?: TestExpectation, message?: string): unknown;
  throwsAsync(
    run: PromiseLike<unknown> | (() => PromiseLike<unknown>),
    expectation?: TestExpectation,
    message?: string,
  ): Promise<unknown>;
  pass(message?: string): unknown;
  fail(message?: string): unknown;
  /**
   * Registers a callback that runs after the case, however it ends; the last registered runs first.
   */
  teardown(run: () => void | Promise<void>): void;
  log(...values: unknown[]): void;
  /**
   * Fails the case if it takes longer than this, in milliseconds of real time; a second call
   * replaces the first limit. This is only a watchdog; no case relies on it.
   */
  timeout(milliseconds: number, message?: string): void;
}

/** The properties that `throws` and `throwsAsync` may require of an error. */
export interface TestExpectation {
  instanceOf?: new (...args: any[]) => Error;
  message?: string | RegExp | ((message: string) => boolean);
  any?: boolean;
}

/** Declares a case: a title, unique in its file, and its body. */
export interface TestFunction {
  (title: string, run: (t: TestContext) => void | Promise<void>): void;
  /** Declares a case that is not run; the title carries the reason. */
  skip?: (title: string, run: (t: TestContext) => void | Promise<void>) => void;
}

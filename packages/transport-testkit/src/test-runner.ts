// The test runner as the suites need it: a suite receives `test` and imports none. AVA's `test` fits; so does an adapter of any other.

/** What a case gets to judge with: a structural part of AVA's ExecutionContext. */
export interface TestContext {
  is<T>(actual: T, expected: T, message?: string): unknown;
  not<T>(actual: T, expected: T, message?: string): unknown;
  deepEqual<T>(actual: T, expected: T, message?: string): unknown;
  notDeepEqual<T>(actual: T, expected: T, message?: string): unknown;
  true(actual: unknown, message?: string): unknown;
  false(actual: unknown, message?: string): unknown;
  regex(actual: string, expected: RegExp, message?: string): unknown;
  throws(run: () => unknown, expectation?: Expectation, message?: string): unknown;
  throwsAsync(run: PromiseLike<unknown> | (() => PromiseLike<unknown>), expectation?: Expectation, message?: string): Promise<unknown>;
  pass(message?: string): unknown;
  fail(message?: string): unknown;
  /** Runs after the case, whatever its end; the last registered runs first. */
  teardown(run: () => void | Promise<void>): void;
  log(...values: unknown[]): void;
  /** The case fails if it takes longer, in real milliseconds: a watchdog, never a means to be right. */
  timeout(milliseconds: number, message?: string): void;
}

/** What `throws` and `throwsAsync` may demand of an error. */
export interface Expectation {
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

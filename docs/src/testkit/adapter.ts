// Runs a suite of the testkit under a runner whose cases have no context, such as node:test and
// vitest: gives each case a context made of node:assert.

import assert from 'node:assert/strict';
import type { TestContext, TestExpectation, TestFunction } from '@trunkline/transport-testkit';

/** Returns the `test` of a suite; `declare` is the one of your runner. */
export function adapt(
  declare: (title: string, body: () => Promise<void>) => unknown,
  skip: (title: string) => unknown = () => {},
): TestFunction {
  const test: TestFunction = (title, run) =>
    void declare(title, async () => {
      const endings: (() => void | Promise<void>)[] = [];
      try {
        await run({ ...checks, teardown: (end) => void endings.unshift(end) });
      } finally {
        for (const end of endings) await end();
      }
    });
  test.skip = (title) => void skip(title);
  return test;
}

const checks: Omit<TestContext, 'teardown'> = {
  is: (actual, expected, message) => assert.equal(actual, expected, message),
  not: (actual, expected, message) => assert.notEqual(actual, expected, message),
  deepEqual: (actual, expected, message) => assert.deepEqual(actual, expected, message),
  notDeepEqual: (actual, expected, message) => assert.notDeepEqual(actual, expected, message),
  true: (actual, message) => assert.equal(actual, true, message),
  false: (actual, message) => assert.equal(actual, false, message),
  regex: (actual, expected, message) => assert.match(actual, expected, message),
  throws: (run, expectation) => assert.throws(run, (error) => fits(error, expectation)),
  throwsAsync: (run, expectation) =>
    assert.rejects(
      async () => (typeof run === 'function' ? run() : run),
      (error) => fits(error, expectation),
    ),
  pass: () => {},
  fail: (message) => assert.fail(message),
  log: () => {},
  timeout: () => {}, // a case that hangs fails by itself, and says what it waits for
};

function fits(error: unknown, { instanceOf, message }: TestExpectation = {}): boolean {
  if (instanceOf !== undefined && !(error instanceof instanceOf)) return false;
  const text = error instanceof Error ? error.message : String(error);
  if (message === undefined) return true;
  if (typeof message === 'string') return text === message;
  return message instanceof RegExp ? message.test(text) : message(text);
}

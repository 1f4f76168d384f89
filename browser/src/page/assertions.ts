// The assertions of AVA that cases use, for a page. Each one throws if it fails.

import type { TestContext, TestExpectation } from '@trunkline/transport-testkit';

/** The assertions of a TestContext, without what belongs to the life of a case. */
export type Assertions = Omit<TestContext, 'teardown' | 'log' | 'timeout'>;

/** @param failed receives each failure, in case the body catches what is thrown. */
export function assertions(failed: (error: Error) => void): Assertions {
  const expect = (holds: boolean, message: string | undefined, problem: () => string) => {
    if (holds) return;
    const error = new Error(message === undefined ? problem() : `${message}: ${problem()}`);
    failed(error);
    throw error;
  };
  const check = (error: unknown, expected: TestExpectation = {}, message?: string) => {
    const { instanceOf = Error, message: text = '', any = false } = expected;
    const isRight = any || error instanceof instanceOf;
    expect(isRight, message, () => `${show(error)} is no ${instanceOf.name}`);
    const said = (error as Error).message;
    const fits =
      typeof text === 'function'
        ? text(said)
        : text instanceof RegExp
          ? text.test(said)
          : text === '' || said === text;
    expect(fits, message, () => `unexpected message: ${said}`);
    return error;
  };
  return {
    is: (actual, expected, message) =>
      expect(Object.is(actual, expected), message, () => `${show(actual)}, not ${show(expected)}`),
    not: (actual, other, message) =>
      expect(!Object.is(actual, other), message, () => `it is ${show(actual)}`),
    deepEqual: (actual, expected, message) =>
      expect(equal(actual, expected), message, () => `${show(actual)}, not ${show(expected)}`),
    notDeepEqual: (actual, other, message) =>
      expect(!equal(actual, other), message, () => `it is ${show(actual)}`),
    true: (actual, message) => expect(actual === true, message, () => `${show(actual)}, not true`),
    false: (actual, message) =>
      expect(actual === false, message, () => `${show(actual)}, not false`),
    regex: (actual, expected, message) =>
      expect(expected.test(actual), message, () => `${show(actual)} does not match ${expected}`),
    throws(run, expectation, message) {
      try {
        run();
      } catch (error) {
        return check(error, expectation, message);
      }
      return expect(false, message, () => 'nothing was thrown');
    },
    async throwsAsync(run, expectation, message) {
      try {
        await (typeof run === 'function' ? run() : run);
      } catch (error) {
        return check(error, expectation, message);
      }
      return expect(false, message, () => 'nothing was rejected');
    },
    pass() {},
    fail: (message) => expect(false, message, () => 'the case failed'),
  };
}

/** Returns whether two values have the same prototypes and equal contents. */
function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Map || a instanceof Set) return equal([...a], [...(b as Iterable<unknown>)]);
  if (a instanceof Error && a.message !== (b as Error).message) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length &&
    keys.every(
      (key) => Object.hasOwn(b, key) && equal(a[key as keyof typeof a], b[key as keyof typeof b]),
    )
  );
}

function show(value: unknown): string {
  if (value instanceof Error) return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return (JSON.stringify(value) ?? String(value)).slice(0, 500);
}

// Offers the cases of suites to the test in Node: it asks for the titles, and then for each case to
// be run.

import { systemClock } from '@trunkline/transport-core';
import type { TestContext, TransportTest } from '@trunkline/transport-testkit';
import { assertions } from './assertions.ts';

declare function addEventListener(
  type: 'unhandledrejection' | 'rejectionhandled',
  listener: (event: RejectionEvent) => void,
): void;

/** A `PromiseRejectionEvent`. */
interface RejectionEvent {
  readonly promise: Promise<unknown>;
  readonly reason: unknown;
  preventDefault(): void;
}

/** A case that a suite has declared. */
export interface DeclaredCase {
  readonly title: string;
  /** True if it is not run; the title contains the reason. */
  readonly isSkipped: boolean;
}

/** The functions that a page offers to Node as globals. */
export interface PageCases {
  /** Declares the cases of these suites. */
  declareCases(suites: readonly string[]): DeclaredCase[];
  /** Resolves with the stack of the failure, or with undefined if the case has passed. */
  runCase(title: string): Promise<string | undefined>;
  /** Returns the stacks of rejections that no case has handled, however late. */
  unhandled(): string[];
}

/** Makes `declareCases` and `runCase` globals of the page. */
export function offerSuites(suites: Readonly<Record<string, (test: TransportTest) => void>>): void {
  const bodies = new Map<string, Body>();
  let free = CASES_AT_ONCE;
  const waiting: (() => void)[] = [];
  const rejections = new Map<Promise<unknown>, unknown>();
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    rejections.set(event.promise, event.reason);
  });
  addEventListener('rejectionhandled', ({ promise }) => rejections.delete(promise));
  const offered: PageCases = {
    unhandled: () => [...rejections.values()].map(stackOf),
    declareCases(names) {
      const cases: DeclaredCase[] = [];
      const test: TransportTest = (title, body) => {
        bodies.set(title, body);
        cases.push({ title, isSkipped: false });
      };
      let last: Promise<unknown> = Promise.resolve();
      test.serial = (title, body) =>
        test(title, (t) => {
          const run = last.then(() => body(t));
          last = run.catch(() => {});
          return run;
        });
      test.skip = (title) => cases.push({ title, isSkipped: true });
      for (const name of names) suites[name]!(test);
      return cases;
    },
    async runCase(title) {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await run(bodies.get(title)!);
      } finally {
        const next = waiting.shift();
        if (next === undefined) free++;
        else next();
      }
    },
  };
  Object.assign(globalThis, offered);
}

type Body = (t: TestContext) => void | Promise<void>;

async function run(body: Body): Promise<string | undefined> {
  const failures: unknown[] = [];
  const logs: string[] = [];
  const teardowns: (() => void | Promise<void>)[] = [];
  let watchdog = new AbortController();
  let late: (error: Error) => void = () => {};
  const expired = new Promise<never>((_, reject) => (late = reject));
  expired.catch(() => {});
  const t: TestContext = {
    ...assertions((error) => failures.push(error)),
    teardown: (run) => void teardowns.unshift(run),
    log: (...values) => void logs.push(values.join(' ')),
    timeout(milliseconds, message = 'the case hangs') {
      watchdog.abort();
      watchdog = new AbortController();
      systemClock.sleep(milliseconds, watchdog.signal).then(
        () => late(new Error(`${message}: not ended after ${milliseconds} ms`)),
        () => {},
      );
    },
  };
  try {
    await Promise.race([body(t), expired]);
  } catch (error) {
    failures.push(error);
  }
  watchdog.abort();
  for (const teardown of teardowns) {
    try {
      await teardown();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return undefined;
  return [stackOf(failures[0]), ...logs].join('\n');
}

function stackOf(error: unknown): string {
  return (error instanceof Error && error.stack) || String(error);
}

const CASES_AT_ONCE = 4;

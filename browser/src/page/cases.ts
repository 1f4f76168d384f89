// The cases that run in the page: tests in Node read their titles, and ask the page to run each one.

import type { TestContext, TestFunction } from '@trunkline/transport-testkit';
import { assertions } from './assertions.ts';
import { storeCases } from './store.ts';
import { webrtcCases } from './webrtc.ts';

const SUITES = { store: storeCases, webrtc: webrtcCases };
export type SuiteName = keyof typeof SUITES;

/** Returns the cases of a suite by their titles. */
export function casesOf(suite: SuiteName): ReadonlyMap<string, Parameters<TestFunction>[1]> {
  const cases = new Map<string, Parameters<TestFunction>[1]>();
  SUITES[suite]((title, run) => void cases.set(title, run));
  return cases;
}

/** Runs a case. Resolves with the stack of its failure, or with undefined if it has passed. */
export async function runCase(suite: SuiteName, title: string): Promise<string | undefined> {
  const failures: unknown[] = [];
  const teardowns: (() => void | Promise<void>)[] = [];
  const t: TestContext = {
    ...assertions((error) => failures.push(error)),
    teardown: (run) => void teardowns.unshift(run),
    log() {},
    timeout() {}, // The test in Node has one.
  };
  const attempt = async (run: () => void | Promise<void>) => {
    try {
      await run();
    } catch (error) {
      failures.push(error);
    }
  };
  await attempt(() => casesOf(suite).get(title)!(t));
  for (const run of teardowns) await attempt(run);
  if (failures.length === 0) return undefined;
  const [first] = failures;
  return (first instanceof Error && first.stack) || String(first);
}

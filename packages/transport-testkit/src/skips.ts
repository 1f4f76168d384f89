// The cases that a backend cannot pass. They are registered as skipped, with the reason in the
// title.

import type { TestContext, TestFunction } from './test-runner.ts';

/** Titles of cases, with the reasons why a backend cannot pass them. */
export type Skips = Readonly<Record<string, string>>;

/**
 * Checks the reasons and the number of skips.
 * @throws TypeError if a reason is missing, or if there are more than seven.
 */
export function checkedSkips(name: string, skips: Skips = {}): ReadonlyMap<string, string> {
  const checked = new Map(Object.entries(skips));
  for (const [title, reason] of checked) {
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new TypeError(`${name}: skip['${title}']: give the reason, a sentence`);
  }
  if (checked.size > MOST)
    throw new TypeError(`${name}: skip: ${checked.size} cases, at most ${MOST} may be skipped`);
  return checked;
}

/** @throws TypeError if a skip names none of the titles: a skip must not outlive its case. */
export function checkTitles(
  name: string,
  skips: ReadonlyMap<string, string>,
  titles: ReadonlySet<string>,
): void {
  for (const title of skips.keys())
    if (!titles.has(title))
      throw new TypeError(`${name}: skip: there is no case '${title}' in this suite`);
}

/** Registers a case as skipped; a runner that cannot skip registers it as passed. */
export function registerSkipped(test: TestFunction, title: string, reason: string): void {
  const full = `${title} (skipped: ${reason})`;
  const body = (t: TestContext) => void t.pass();
  if (test.skip !== undefined) test.skip(full, body);
  else test(full, body);
}

/** Maximum number of skipped cases: a backend that needs more does not keep the contract. */
const MOST = 7;

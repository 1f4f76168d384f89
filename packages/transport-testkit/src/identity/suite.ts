// Declares and runs the cases: one fixture per case, a few at a time. A group of cases that a
// backend does not support is reported with a reason.

import { unlessTaken } from '../address-race.ts';
import { checkedSkips, checkTitles, registerSkipped } from '../skips.ts';
import type { TestContext, TestFunction } from '../test-runner.ts';
import { turnstile } from '../transport/suite.ts';
import { CaseWaits } from '../waits/case-waits.ts';
import type { IdentityBackend, IdentityCredentials } from './backend.ts';
import { IdentityFixture } from './identity-fixture.ts';

/** Declares one case; its title is a sentence, unique in the suite. */
export type Define = (
  title: string,
  body: (f: IdentityFixture, t: TestContext) => Promise<void>,
  options?: { readonly time: number },
) => void;

/** Declares the cases of one subject. */
export type Cases = (define: Define, backend: IdentityBackend<IdentityCredentials>) => void;

/**
 * Registers the cases of `groups` for a backend. The titles that its `skip` names are registered as
 * skipped. For each feature that the backend lacks, one skipped case is registered.
 */
export function register(
  test: TestFunction,
  backend: IdentityBackend<IdentityCredentials>,
  groups: readonly Cases[],
): void {
  const skip = checkedSkips(backend.name, backend.skip);
  const titles = new Set<string>();
  const turn = turnstile(CASES_AT_ONCE);
  const define: Define = (title, body, { time } = { time: WATCHDOG }) => {
    if (titles.has(title)) throw new TypeError(`two cases are titled '${title}'`);
    titles.add(title);
    const full = `${backend.name}: ${title}`;
    const reason = skip.get(title);
    if (reason !== undefined) return registerSkipped(test, full, reason);
    test(full, (t) =>
      turn(() => {
        t.timeout(time, 'the case waits for an event that did not happen');
        return unlessTaken(() => run(t, backend, body));
      }),
    );
  };
  for (const cases of groups) cases(define, backend);
  for (const what of ['refused', 'untrusting'] as const)
    if (backend[what] === undefined)
      registerSkipped(test, `${backend.name}: the cases of ${what}`, LACKS[what]);
  checkTitles(backend.name, skip, titles);
}

async function run(
  t: TestContext,
  backend: IdentityBackend<IdentityCredentials>,
  body: (f: IdentityFixture, t: TestContext) => Promise<void>,
): Promise<void> {
  const waits = new CaseWaits(backend.stallTimeout);
  const guarded = waits.guard(t);
  const fixture = new IdentityFixture(guarded, backend, waits);
  try {
    await waits.run(async () => {
      await body(fixture, guarded);
      await fixture.finish();
    });
  } catch (error) {
    // The case's own error comes first; a failure to clean up afterwards would only hide it.
    await fixture.abandon().catch((also: unknown) => t.log(`closing failed, too: ${String(also)}`));
    throw error;
  }
}

const LACKS = {
  refused: 'no transport accepts flawed credentials',
  untrusting: 'the backend admits any node that proves an id',
};

const CASES_AT_ONCE = 4;
/**
 * The time limit for a case, in milliseconds of real time: far more than a case needs, even on a
 * busy machine.
 */
const WATCHDOG = 120_000;

// Declares and runs the cases of the transport suite, which test the contract of a Transport in the
// same way on every backend.

import { unlessTaken } from '../address-race.ts';
import { checkedSkips, checkTitles, registerSkipped } from '../skips.ts';
import type { TestContext } from '../test-runner.ts';
import { CaseWaits } from '../waits/case-waits.ts';
import type { TransportBackend, TransportTest } from './backend.ts';
import { type Fixture, makeFixture } from './fixture.ts';

/**
 * Declares one case. The title is a sentence, unique in the suite; each run gets a fixture of its
 * own.
 */
export interface Define {
  (title: string, body: (f: Fixture, t: TestContext) => Promise<void>): void;
  /**
   * Declares a case that measures the whole process. No other case runs at the same time, unless
   * the runner has no `serial`.
   */
  alone(title: string, body: (f: Fixture, t: TestContext) => Promise<void>): void;
}

/** Declares the cases of one subject. */
export type Cases = (define: Define) => void;

/**
 * Registers every case of `groups` for a backend. The titles that its `skip` names are registered
 * as skipped, with their reasons.
 * @throws TypeError if two cases have one title, and as `checkedSkips` and `checkTitles` do.
 */
export function register(
  test: TransportTest,
  backend: TransportBackend,
  groups: readonly Cases[],
): void {
  const skip = checkedSkips(backend.name, backend.skip);
  const titles = new Set<string>();
  const turn = turnstile(CASES_AT_ONCE);
  const add = (
    declare: NonNullable<TransportTest['serial']>,
    title: string,
    body: (f: Fixture, t: TestContext) => Promise<void>,
  ) => {
    if (titles.has(title)) throw new TypeError(`two cases are titled '${title}'`);
    titles.add(title);
    const full = `${backend.name}: ${title}`;
    const reason = skip.get(title);
    if (reason !== undefined) registerSkipped(test, full, reason);
    else declare(full, (t) => turn(() => unlessTaken(() => run(t, backend, body))));
  };
  const define = ((title, body) => add(test, title, body)) as Define;
  define.alone = (title, body) => add(test.serial ?? test, title, body);
  for (const group of groups) group(define);
  checkTitles(backend.name, skip, titles);
}

async function run(
  t: TestContext,
  backend: TransportBackend,
  body: (f: Fixture, t: TestContext) => Promise<void>,
): Promise<void> {
  t.timeout(120_000);
  const waits = new CaseWaits(backend.stallTimeout);
  const guarded = waits.guard(t);
  const fixture = makeFixture(guarded, backend, waits);
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

/**
 * Limits the number of cases that run at the same time. Runners start all cases of a file together;
 * hundreds at a time would be slow, and a case that hangs would be hard to find.
 */
export function turnstile(places: number): (run: () => Promise<void>) => Promise<void> {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

const CASES_AT_ONCE = 8;

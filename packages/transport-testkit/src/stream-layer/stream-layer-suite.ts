// The stream layer suite, for authors of backends: checks listening, addresses, dials, bytes,
// back-pressure and ends of a `StreamLayer`, and of its optional members `writeAll`, `ref` and
// `copies`.

import { createManualClock } from '@trunkline/transport-core/testing';
import { unlessTaken } from '../address-race.ts';
import { checkedSkips, checkTitles, registerSkipped } from '../skips.ts';
import type { TestFunction } from '../test-runner.ts';
import { addressRules } from './addresses.ts';
import { backPressureRules } from './back-pressure.ts';
import { byteRules } from './bytes.ts';
import { dialRules } from './dialing.ts';
import { endRules } from './ending.ts';
import {
  type StreamLayerBackend,
  StreamLayerFixture,
  type StreamLayerSuiteOptions,
} from './fixture.ts';

export type { StreamLayerBackend, StreamLayerSuiteOptions };

/**
 * Declares the cases. `make` creates a new backend for each case, on the given clock; the reason
 * for a skip becomes part of the title. Throws a TypeError if `skip` is invalid.
 *
 * ```ts
 * streamLayerSuite(test, {
 *   name: 'tcp',
 *   make: ({ clock }) => ({
 *     layer: (bindAddr) => createTcpStreamLayer({ bindAddr, clock }),
 *     malformed: [':'],
 *   }),
 * });
 * ```
 */
export function streamLayerSuite(test: TestFunction, options: StreamLayerSuiteOptions): void {
  const rules = [...addressRules, ...dialRules, ...byteRules, ...backPressureRules, ...endRules];
  const { name, make, stallTimeout } = options;
  const skips = checkedSkips(name, options.skip);
  checkTitles(name, skips, new Set(rules.map(({ title }) => title)));
  for (const { title, run } of rules) {
    const reason = skips.get(title);
    if (reason !== undefined) {
      registerSkipped(test, `${name}: ${title}`, reason);
      continue;
    }
    test(`${name}: ${title}`, async (t) => {
      t.timeout(WATCHDOG);
      await unlessTaken(async () => {
        const clock = createManualClock();
        const fixture = new StreamLayerFixture(clock, await make({ clock }), stallTimeout);
        t.teardown(() => fixture.close());
        await fixture.waits.run(() => run(fixture.waits.guard(t), fixture));
      });
    });
  }
}

/**
 * The time limit for a case that works without a pause, in milliseconds of real time; a case that
 * hangs fails earlier, by its `stallTimeout`.
 */
const WATCHDOG = 120_000;

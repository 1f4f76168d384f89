// Shrinking of a failure: finds the smallest schedule of faults with which a seed still fails, and
// a calmer link.

import type { ScheduledFault } from '../faults/fault.ts';
import type { LinkOptions } from '../network/link-settings.ts';
import { type FailedRun, isSameFailure, type Shrunk } from './failure.ts';
import { TROUBLES, withoutTroubles } from './link-troubles.ts';

/**
 * Runs the seed of the failure with other faults and another link, until the given virtual time.
 * Returns the failure, or undefined if the run passes, and the time and the number of events that
 * it took.
 */
export type Attempt = (
  schedule: readonly ScheduledFault[],
  link: LinkOptions | undefined,
  until: number,
) => Promise<{
  readonly failed: FailedRun | undefined;
  readonly virtual: number;
  readonly events: number;
}>;

/**
 * Removes faults, and then disturbances of the link, as long as the run fails for the same reason.
 * First it repeats the run with the whole schedule, and gives up if the result differs.
 *
 * The last `recover` is kept while the rest shrinks: without it, a rule that waits for calm could
 * break merely because calm never comes. At the end the last `recover` is removed, too, if exactly
 * the same failure occurs without it.
 *
 * Two things limit the time. If a rule broke, the runs end at twice the time at which it did, plus
 * one second. After `most` runs, or a thousand times as many events, the smallest schedule so far is
 * the result, with a note. Neither depends on real time, so the result is always the same.
 */
export async function shrinkFailure(
  failure: FailedRun,
  link: LinkOptions | undefined,
  attempt: Attempt,
  most: number,
): Promise<Shrunk> {
  let runs = 0;
  let events = 0;
  let until = Number.POSITIVE_INFINITY;
  let isCut = false;
  const run = async (schedule: readonly ScheduledFault[], other: LinkOptions | undefined) => {
    isCut ||= runs >= most || events >= most * EVENTS;
    if (isCut) return undefined;
    const outcome = await attempt(schedule, other, until);
    runs++;
    events += outcome.events;
    // A leak may show up to a minute after the scenario, because `close` waits for nodes that hang.
    if (runs === 1 && failure.invariant !== undefined)
      until = 2 * Math.max(outcome.virtual, outcome.failed?.at ?? 0) + 1_000;
    return outcome.failed;
  };
  const fails = async (schedule: readonly ScheduledFault[], other = link) => {
    const again = await run(schedule, other);
    return again !== undefined && isSameFailure(again, failure) ? again : undefined;
  };

  const planned = failure.schedule;
  const again = await run(planned, link);
  if (again === undefined || again.trace.hash !== failure.trace.hash) {
    return { run: failure, link, without: [], note: most > 0 ? NOT_AGAIN : undefined };
  }
  /** The run with the smallest schedule so far. */
  let smallestRun = failure;

  const last = planned.at(-1);
  const recovers = last?.do === 'recover';
  const recover = recovers ? [last] : [];
  let schedule: readonly ScheduledFault[] = await smallest(
    recovers ? planned.slice(0, -1) : planned,
    async (rest) => {
      const failed = await fails([...rest, ...recover]);
      if (failed !== undefined) smallestRun = failed;
      return failed !== undefined;
    },
  );
  if (recovers) {
    const kept = [...schedule, last];
    const [withIt, without] = [await fails(kept), await fails(schedule)];
    if (
      withIt === undefined ||
      without === undefined ||
      withIt.at !== without.at ||
      withIt.message !== without.message
    )
      schedule = kept;
    else smallestRun = without;
  }

  let calmer = link;
  const bad = TROUBLES.filter((trouble) => link?.[trouble]);
  for (const troubles of bad.length > 1 ? [bad, ...bad.map((trouble) => [trouble])] : [bad]) {
    if (troubles.length === 0 || troubles.every((trouble) => !calmer?.[trouble])) continue;
    const candidate = withoutTroubles(calmer, troubles);
    const failed = await fails(schedule, candidate);
    if (failed === undefined) continue;
    calmer = candidate;
    smallestRun = failed;
  }
  const places = planned.flatMap((fault, index) =>
    schedule.includes(fault) ? [failure.only?.[index] ?? index] : [],
  );
  const only = places.length === failure.planned ? undefined : places;
  return {
    run: { ...smallestRun, schedule, only, planned: failure.planned },
    link: calmer,
    without: bad.filter((trouble) => !calmer?.[trouble]),
    note: isCut
      ? `(shrinking stopped after ${runs} runs with ${events} events: a smaller schedule may exist)`
      : undefined,
  };
}

/**
 * Delta debugging: returns a part of a list that still fails, and from which no single element and
 * no two can be removed (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input,
 * IEEE TSE 28(2), 2002, fig. 4; the pairs are ours, because a crash and its restart often go only
 * together). The whole list must fail. No part is tried twice.
 */
export async function smallest<T>(
  list: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  const passed = new Set<string>();
  const still = async (indexes: readonly number[]) => {
    const key = indexes.join();
    if (passed.has(key)) return false;
    if (await fails(indexes.map((index) => list[index]!))) return true;
    passed.add(key);
    return false;
  };
  const narrowed = async (rest: readonly number[], parts: number) => {
    const chunks = Array.from({ length: parts }, (_, i) =>
      rest.slice(
        Math.floor((i * rest.length) / parts),
        Math.floor(((i + 1) * rest.length) / parts),
      ),
    );
    for (const chunk of chunks) if (await still(chunk)) return { rest: chunk, parts: 2 };
    if (parts === 2) return undefined;
    for (const chunk of chunks) {
      const others = rest.filter((index) => !chunk.includes(index));
      if (await still(others)) return { rest: others, parts: Math.max(parts - 1, 2) };
    }
    return undefined;
  };
  const minimal = async (from: readonly number[]) => {
    let rest = from;
    for (let parts = 2; rest.length > 1; ) {
      const less = await narrowed(rest, Math.min(parts, rest.length));
      if (less !== undefined) ({ rest, parts } = less);
      else if (parts >= rest.length) break;
      else parts *= 2;
    }
    return rest;
  };
  const withoutPair = async (rest: readonly number[]) => {
    for (let apart = 1; apart < rest.length; apart++) {
      for (let first = 0; first + apart < rest.length; first++) {
        const others = rest.filter((_, place) => place !== first && place !== first + apart);
        if (await still(others)) return others;
      }
    }
    return undefined;
  };
  let rest: readonly number[] = list.map((_, index) => index);
  if (rest.length === 0 || (await still([]))) return [];
  for (let fewer: typeof rest | undefined = rest; fewer !== undefined; ) {
    rest = await minimal(fewer);
    fewer = await withoutPair(rest);
  }
  return rest.map((index) => list[index]!);
}

/** Number of events for each run that shrinking may take, on average. */
const EVENTS = 1_000;
const NOT_AGAIN =
  '(a second run of this seed had another result, so its faults were not shrunk: assertDeterministic shows where the runs differ)';

// Shrinks a failing history so that a person can see why it fails, without introducing a new
// failure.

import { type Effect, effectsOf, observes } from './effect.ts';
import { hiding } from './hiding.ts';
import type { Operation } from './history.ts';

/** Returns true if it is certain that no order explains the effects. */
export type Fails = (effects: readonly Effect[]) => boolean;

/**
 * Returns the shortest prefix of one key's operations, which must fail, for which `fails` is true,
 * or all of them if there is none: `fails` may give up. At the cut, operations that have not
 * returned yet count as open. `from` is a point that some order reaches,
 * so no shorter prefix fails. If a prefix fails, all longer ones do. Therefore the search starts
 * near `from` with growing steps, and then bisects.
 */
export function shortestFailing(
  operations: readonly Operation[],
  from: number,
  fails: Fails,
): Effect[] {
  const points = effectsOf(operations)
    .map((effect) => effect.returned)
    .filter((point) => point >= from && point !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a - b);
  const failsAt = (index: number) => fails(prefixOf(operations, points[index]!));
  let passing = -1;
  let failing = 0;
  for (let step = 1; failing < points.length - 1 && !failsAt(failing); step *= 2) {
    passing = failing;
    failing = Math.min(failing + step, points.length - 1);
  }
  while (failing - passing > 1) {
    const middle = (passing + failing) >> 1;
    if (failsAt(middle)) failing = middle;
    else passing = middle;
  }
  return prefixOf(operations, points[failing]!);
}

/**
 * Returns a part of failing effects that still fails. Removal never introduces a failure: an order
 * that explains all effects also explains the part.
 *
 * - First it drops results. An operation without its result overwrites any earlier value, or is
 *   removed if it wrote nothing.
 * - Then it removes writes whose value no remaining operation can have looked at (see `lookedAt`):
 *   any order of all operations is still valid without them.
 *
 * In the end, no single result and no single write of that kind can be removed.
 */
export function shrink(effects: readonly Effect[], fails: Fails): Effect[] {
  const isEnough = (kept: readonly Effect[]) => fails(forgetting(effects, new Set(kept)));
  const looking = effects
    .filter((effect) => effect.needs !== 'any')
    .sort((a, b) => a.returned - b.returned);
  const telling = new Set(fewest(lastOnes(looking, isEnough), isEnough));
  const needed = lookedAt(effects, telling);
  const rest = forgetting(effects, telling);
  const unseen = rest.filter((effect) => effect.needs === 'any' && !needed.has(effect.operation));
  const isUnseen = new Set(unseen);
  const without = (kept: readonly Effect[]) => {
    const isKept = new Set(kept);
    return rest.filter((effect) => isKept.has(effect) || !isUnseen.has(effect));
  };
  const isProof = (kept: readonly Effect[]) => fails(without(kept));
  return without(fewest(lastOnes(unseen, isProof), isProof));
}

/**
 * Returns the last items, at least as many as are enough. Most counter-examples need only a few of
 * the last ones, so this saves many tests of long histories.
 */
function lastOnes<T>(items: readonly T[], enough: (items: readonly T[]) => boolean): readonly T[] {
  for (let count = 1; count < items.length; count *= 4)
    if (enough(items.slice(-count))) return items.slice(-count);
  return items;
}

/**
 * Returns a part of the items that is still enough, and from which no single item can be removed.
 * Tries to remove as many as possible at a time (after Zeller and Hildebrandt, Simplifying and
 * Isolating Failure-Inducing Input, TSE 28(2), 2002). All items together must be enough.
 */
function fewest<T>(items: readonly T[], enough: (items: readonly T[]) => boolean): readonly T[] {
  for (let size = items.length; size >= 1; ) {
    const before = items.length;
    for (let start = 0; start < items.length; ) {
      const fewer = [...items.slice(0, start), ...items.slice(start + size)];
      if (enough(fewer)) items = fewer;
      else start += size;
    }
    if (size > 1) size = Math.ceil(Math.min(size, items.length) / 2);
    else if (items.length === before) break;
  }
  return items;
}

/** Drops the results of all effects except `telling`. */
function forgetting(effects: readonly Effect[], telling: ReadonlySet<Effect>): Effect[] {
  return effects
    .filter((effect) => effect.writes || telling.has(effect))
    .map((effect) => (telling.has(effect) ? effect : { ...effect, needs: 'any' as const }));
}

/**
 * Returns the operations whose written value one of `telling` may have looked at: the write was
 * called before that operation returned, and no other write had certainly hidden it before that
 * operation was called. For readability, the result also includes the last operation that wrote a
 * value which was looked at, so that each value has an origin.
 */
function lookedAt(effects: readonly Effect[], telling: ReadonlySet<Effect>): Set<Operation> {
  const writes = effects.filter((effect) => effect.writes);
  const hiddenAt = hiding(effects);
  const found = new Set<Operation>();
  for (const looking of telling) {
    const fit = writes.filter(
      (write) =>
        write !== looking && write.called < looking.returned && observes(looking, write.value),
    );
    const last = fit.reduce(
      (last: Effect | undefined, write) =>
        last !== undefined && last.returned > write.returned ? last : write,
      undefined,
    );
    for (const write of fit)
      if (write === last || looking.called < hiddenAt(write.returned)) found.add(write.operation);
  }
  return found;
}

function prefixOf(operations: readonly Operation[], end: number): Effect[] {
  return effectsOf(
    operations
      .filter(({ called }) => called <= end)
      .map((operation) => ((operation.returned ?? 0) <= end ? operation : reopened(operation))),
  );
}

function reopened(operation: Operation): Operation {
  if (operation.outcome === 'failed') return operation;
  return {
    ...operation,
    outcome: 'open',
    result: undefined,
    returned: undefined,
    returnedAt: undefined,
  };
}

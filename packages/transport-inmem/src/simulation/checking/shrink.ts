// Makes a history that fails as small as it goes, so that a person sees why, without making up a failure that was not there.

import { type Effect, effectsOf, observes } from './effect.ts';
import { hiding } from './hiding.ts';
import type { Operation } from './history.ts';

/** Whether no order explains effects, for certain. */
export type Fails = (effects: readonly Effect[]) => boolean;

/**
 * The shortest prefix that fails, of the operations of one key that fail. Where the history is cut, what has not returned yet is open.
 * `from` is a point that every order gets to: no shorter prefix fails. A longer one fails if a shorter one does: it is looked for near `from`
 * first, by ever longer steps, and then by bisection.
 */
export function shortestFailing(operations: readonly Operation[], from: number, fails: Fails): Effect[] {
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
 * A part of effects that fail, which fails too. It is never a failure that leaving out made: an order that explains all explains the part.
 *
 * - What an operation saw is left out: then it only writes, whatever was there, or it goes altogether if it did not write.
 * - Then writes go that nothing which is left can have looked at (see `lookedAt`): an order of the others is one without them.
 *
 * In the end nothing that was seen, and no write of that kind, can be left out by itself any more.
 */
export function shrink(effects: readonly Effect[], fails: Fails): Effect[] {
  const looking = effects.filter((effect) => effect.needs !== 'any');
  const telling = new Set(fewest(looking, (kept) => fails(forgetting(effects, new Set(kept)))));
  const needed = lookedAt(effects, telling);
  const rest = forgetting(effects, telling);
  const unseen = rest.filter((effect) => effect.needs === 'any' && !needed.has(effect.operation));
  const without = (kept: readonly Effect[]) => rest.filter((effect) => kept.includes(effect) || !unseen.includes(effect));
  return without(fewest(unseen, (kept) => fails(without(kept))));
}

/**
 * Some of the items that are enough, where all are, such that none can go by itself: tries to do without as many as possible at a time
 * (after Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, TSE 28(2), 2002).
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

/** Without what was seen, but by `telling`. */
function forgetting(effects: readonly Effect[], telling: ReadonlySet<Effect>): Effect[] {
  return effects
    .filter((effect) => effect.writes || telling.has(effect))
    .map((effect) => (telling.has(effect) ? effect : { ...effect, needs: 'any' as const }));
}

/**
 * The operations that wrote what one of `telling` may have looked at: it was not over before, nor does another write certainly stand
 * between the two. And for the sake of the reader, the last that had written it at all: nobody sees a value come from nowhere.
 */
function lookedAt(effects: readonly Effect[], telling: ReadonlySet<Effect>): Set<Operation> {
  const writes = effects.filter((effect) => effect.writes);
  const hiddenAt = hiding(effects);
  const found = new Set<Operation>();
  for (const looking of telling) {
    const fit = writes.filter((write) => write !== looking && write.called < looking.returned && observes(looking, write.value));
    const last = fit.reduce((last: Effect | undefined, write) => (last !== undefined && last.returned > write.returned ? last : write), undefined);
    for (const write of fit) if (write === last || looking.called < hiddenAt(write.returned)) found.add(write.operation);
  }
  return found;
}

function prefixOf(operations: readonly Operation[], end: number): Effect[] {
  return effectsOf(operations.filter(({ called }) => called <= end).map((operation) => ((operation.returned ?? 0) <= end ? operation : reopened(operation))));
}

function reopened(operation: Operation): Operation {
  if (operation.outcome === 'failed') return operation;
  return { ...operation, outcome: 'open', result: undefined, returned: undefined, returnedAt: undefined };
}

// The `performance` of a simulated node: the time since its start, and marks and measures in it.

import type { NodeContext } from '../nodes/node-context.ts';
import type { Refusals } from './refusals.ts';

/** A mark or a measure. */
interface Entry {
  readonly name: string;
  readonly entryType: 'mark' | 'measure';
  readonly startTime: number;
  readonly duration: number;
  readonly detail: unknown;
}

interface MeasureOptions {
  readonly start?: string | number | undefined;
  readonly end?: string | number | undefined;
  readonly duration?: number | undefined;
  readonly detail?: unknown;
}

/** Creates the `performance` of one life of a node. */
export function virtualPerformance(clock: NodeContext['clock'], refusals: Refusals): object {
  // A process has run for some milliseconds when its code starts; packages take 0 for "not set".
  const began = clock.now() - STARTED;
  const timeOrigin = clock.wall() - STARTED;
  let entries: Entry[] = [];
  const now = () => clock.now() - began;
  const add = (entry: Omit<Entry, 'toJSON'>): Entry => {
    const made = { ...entry, toJSON: () => entry };
    entries.push(made);
    if (entries.length > MOST) entries.shift();
    return made;
  };
  const timeOf = (at: string | number | undefined, missing: number): number => {
    if (typeof at !== 'string') return at ?? missing;
    const mark = entries.findLast(({ entryType, name }) => entryType === 'mark' && name === at);
    if (mark !== undefined) return mark.startTime;
    throw new DOMException(`The "${at}" performance mark has not been set`, 'SyntaxError');
  };
  const clear = (type: string) => (name?: string) => {
    entries = entries.filter(
      (entry) => entry.entryType !== type || (name !== undefined && entry.name !== name),
    );
  };
  const sorted = () => [...entries].sort((a, b) => a.startTime - b.startTime);
  const own = {
    now,
    timeOrigin,
    mark: (name: unknown, { startTime = now(), detail = null }: Partial<Entry> = {}) =>
      add({ name: String(name), entryType: 'mark', startTime, duration: 0, detail }),
    measure(name: unknown, from?: string | MeasureOptions, to?: string) {
      const given = typeof from === 'object' ? from : { start: from, end: to };
      const { start, end, duration, detail = null } = given;
      const isBefore = start === undefined && duration !== undefined;
      const startTime = isBefore ? timeOf(end, now()) - duration : timeOf(start, 0);
      const took = duration ?? timeOf(end, now()) - startTime;
      return add({ name: String(name), entryType: 'measure', startTime, duration: took, detail });
    },
    // Clients of HTTP report each request, even one that was refused.
    markResourceTiming() {},
    clearMarks: clear('mark'),
    clearMeasures: clear('measure'),
    getEntries: sorted,
    getEntriesByName: (name: string, type?: string) =>
      sorted().filter(
        (entry) => entry.name === name && (type === undefined || entry.entryType === type),
      ),
    getEntriesByType: (type: string) => sorted().filter((entry) => entry.entryType === type),
    toJSON: () => ({ timeOrigin }),
  };
  return refusals.sealed(globalThis.performance, own, 'performance');
}

/** Milliseconds that a process has run when its code starts. */
const STARTED = 25;
/** Marks and measures that are kept; the oldest go first. */
const MOST = 10_000;

// The checks of sets, counters, ids and queues that Jepsen defines. They compare what clients were
// told with what was found, in linear time, and ask for less than linearizability.

import { type Violation, violationOf } from '../violation.ts';
import { outOfBounds } from './bounds.ts';
import type {
  CounterCommand,
  CounterResult,
  QueueCommand,
  QueueResult,
  SetCommand,
  SetResult,
} from './commands.ts';
import type { ObjectCall, ObjectHistory } from './object-history.ts';
import { grouped, line, wordsOf } from './words.ts';

/** The result of `check.set`, `check.counter`, `check.uniqueIds` and `check.totalQueue`. */
export type TallyVerdict =
  /** `counts` has the totals over all objects, under the names that each check lists. */
  | { readonly valid: true; readonly counts: Readonly<Record<string, number>> }
  /**
   * `text` says what is wrong, with the first calls that show it. If the verdict is the `cause` of
   * a scenario's error, the failure's report shows `violation`.
   */
  | {
      readonly valid: false;
      readonly counts: Readonly<Record<string, number>>;
      readonly text: string;
      readonly violation: Violation;
    }
  /** The history can't show whether it is valid; `text` says why. */
  | {
      readonly valid: undefined;
      readonly counts: Readonly<Record<string, number>>;
      readonly text: string;
    };

type Calls<Command, Result> =
  | ObjectHistory<Command, Result>
  | readonly ObjectCall<Command, Result>[];

/**
 * Checks a set by its last completed read, as Jepsen's `set` does: it contains every value whose
 * add had completed before, and no value that nobody tried to add. `counts`: `attempted`,
 * `acknowledged`, `read`, `lost`, `unexpected`, and `recovered` (read, though the outcome of the
 * add was unknown). Without a completed read, the verdict is `undefined`.
 *
 * @throws TypeError if a value was removed: use `check.object` then.
 */
export function checkSet(history: Calls<SetCommand, SetResult>): TallyVerdict {
  return tally('set', history, (calls) => {
    const adds = new Map<string, ObjectCall<SetCommand, SetResult>>();
    /** The first call that may have added a value, by the value: an add may be tried again. */
    const tried = new Map<string, number>();
    let last: ObjectCall<SetCommand, SetResult> | undefined;
    for (const call of calls) {
      const { command, outcome, result } = call;
      if (command.op === 'remove')
        throw new TypeError(
          `check.set: ${call.client} removes ${command.value}, and the last read does not show when: use check.object(history, check.models.set())`,
        );
      if (command.op === 'add') {
        const before = adds.get(command.value);
        const isFailed = outcome === 'failed';
        if (before === undefined || (before.outcome !== 'ok' && !isFailed))
          adds.set(command.value, call);
        if (!isFailed && !tried.has(command.value)) tried.set(command.value, call.called);
      } else if (command.op === 'read' && outcome === 'ok' && result !== undefined) last = call;
    }
    const read = new Set(last === undefined ? [] : (last.result as readonly string[]));
    const all = [...adds];
    const isDone = (add: ObjectCall<SetCommand, SetResult>) =>
      add.outcome === 'ok' && (last === undefined || add.returned! < last.called);
    const lost = all.filter(([value, add]) => isDone(add) && !read.has(value));
    const unexpected = [...read].filter(
      (value) => (tried.get(value) ?? Number.POSITIVE_INFINITY) > last!.returned!,
    );
    const counts = {
      attempted: all.length,
      acknowledged: all.filter(([, { outcome }]) => outcome === 'ok').length,
      read: read.size,
      lost: last === undefined ? 0 : lost.length,
      unexpected: unexpected.length,
      recovered: [...read].filter((value) => isUncertain(adds.get(value))).length,
    };
    if (last === undefined) return { counts, unknown: 'no read of the whole set completed' };
    const wrong = [
      ...of('lost', lost),
      ...of(
        'unexpected',
        unexpected.map((value) => [value, undefined]),
      ),
    ];
    return { counts, wrong, shown: [...lost.map(([, add]) => add), last], culprit: last };
  });
}

/**
 * Checks the reads of a counter, as Jepsen's `counter` does: each read lies between the sum of what
 * had certainly been added when it was called, and of what may have been added when it returned.
 * For negative additions it is the other way round. `counts`: `adds`, `reads` and `outside`.
 */
export function checkCounter(history: Calls<CounterCommand, CounterResult>): TallyVerdict {
  return tally('counter', history, (calls) => {
    const outside = outOfBounds(calls);
    const counts = {
      adds: calls.filter(({ command }) => command.op === 'add').length,
      reads: calls.filter(({ command, outcome }) => command.op === 'read' && outcome === 'ok')
        .length,
      outside: outside.length,
    };
    const wrong = outside.map(
      ({ call, least, most }) =>
        `${call.client} read ${call.result}, which is not between ${least} and ${most}`,
    );
    const shown = outside.map(({ call }) => call);
    return { counts, wrong, shown, culprit: shown[0] };
  });
}

/**
 * Checks that no two completed calls have the same result, as Jepsen's `unique-ids` does. Calls
 * without a result are left out. `counts`: `attempted`, `acknowledged` and `duplicated`.
 */
export function checkUniqueIds(history: Calls<unknown, string | number>): TallyVerdict {
  return tally('generator of ids', history, (calls) => {
    const first = new Map<string | number, ObjectCall<unknown, string | number>>();
    const shown = new Set<ObjectCall<unknown, string | number>>();
    const duplicated = new Set<string | number>();
    let acknowledged = 0;
    for (const call of calls) {
      const { outcome, result } = call;
      if (outcome !== 'ok' || result === undefined) continue;
      acknowledged++;
      const other = first.get(result);
      if (other === undefined) {
        first.set(result, call);
        continue;
      }
      duplicated.add(result);
      shown.add(other).add(call);
    }
    const counts = { attempted: calls.length, acknowledged, duplicated: duplicated.size };
    const wrong = of(
      'duplicated',
      [...duplicated].map((id) => [id, undefined]),
    );
    return { counts, wrong, shown: [...shown], culprit: [...shown][1] };
  });
}

/**
 * Checks a queue that was drained in the end, as Jepsen's `total-queue` does: every value whose
 * enqueue completed was dequeued, and nothing was dequeued that nobody tried to enqueue. Order does
 * not matter, and a value may be dequeued twice, which `counts` tells: `attempted`, `acknowledged`,
 * `dequeued`, `lost`, `unexpected`, `duplicated`, and `recovered` (dequeued, though the outcome of
 * the enqueue was unknown). If dequeues of unknown outcome, or with an unknown value, may have
 * taken all missing values, the verdict is `undefined`.
 */
export function checkTotalQueue(history: Calls<QueueCommand, QueueResult>): TallyVerdict {
  return tally('queue', history, (calls) => {
    type Call = (typeof calls)[number];
    const enqueued = new Map<string, Call[]>();
    const dequeued = new Map<string, Call[]>();
    let unknown = 0;
    for (const call of calls) {
      const { command, outcome, result } = call;
      if (command.op === 'enqueue') push(enqueued, command.value, call);
      else if (outcome === 'ok' && typeof result === 'string') push(dequeued, result, call);
      else if (isUncertain(call) || (outcome === 'ok' && result === undefined)) unknown++;
    }
    const counts = {
      ...{ attempted: 0, acknowledged: 0, dequeued: 0 },
      ...{ lost: 0, unexpected: 0, duplicated: 0, recovered: 0 },
    };
    const lost: [string, Call][] = [];
    const unexpected: [string, Call][] = [];
    for (const [value, puts] of enqueued) {
      const done = puts.filter(({ outcome }) => outcome === 'ok');
      const tried = puts.filter(({ outcome }) => outcome !== 'failed').length;
      const taken = dequeued.get(value)?.length ?? 0;
      counts.attempted += puts.length;
      counts.acknowledged += done.length;
      counts.recovered += Math.max(0, Math.min(taken, tried) - done.length);
      if (tried > 0) counts.duplicated += Math.max(0, taken - tried);
      for (const put of done.slice(taken)) lost.push([value, put]);
    }
    for (const [value, takes] of dequeued) {
      counts.dequeued += takes.length;
      const puts = (enqueued.get(value) ?? []).filter(({ outcome }) => outcome !== 'failed');
      const first = puts[0]?.called ?? Number.POSITIVE_INFINITY;
      for (const take of takes) if (take.returned! < first) unexpected.push([value, take]);
    }
    counts.lost = lost.length;
    counts.unexpected = unexpected.length;
    if (unexpected.length === 0 && lost.length > 0 && lost.length <= unknown)
      return {
        counts,
        unknown: `${lost.length} values are missing, which ${unknown} dequeues of unknown outcome may have taken`,
      };
    const wrong = [...of('lost', lost), ...of('unexpected', unexpected)];
    const shown = [...lost, ...unexpected].map(([, call]) => call);
    return { counts, wrong, shown, culprit: shown[0] };
  });
}

/** The findings of a check on one object. */
interface Findings<Command, Result> {
  readonly counts: Readonly<Record<string, number>>;
  /** The mistakes, each in words. */
  readonly wrong?: readonly string[];
  readonly shown?: readonly ObjectCall<Command, Result>[];
  readonly culprit?: ObjectCall<Command, Result> | undefined;
  /** Why nothing can be said. */
  readonly unknown?: string;
}

/** Judges each object of a history. */
function tally<Command, Result>(
  name: string,
  history: Calls<Command, Result>,
  judge: (calls: readonly ObjectCall<Command, Result>[]) => Findings<Command, Result>,
): TallyVerdict {
  const objects = grouped(
    'calls' in history ? history.calls : history,
    (command) => (command as { readonly object?: string } | undefined)?.object ?? '',
  );
  const counts: Record<string, number> = {};
  let failed: { text: string; violation: Violation } | undefined;
  let undecided: string | undefined;
  for (const [object, calls] of objects) {
    const title = object === '' ? name : `${name} ${object}`;
    const found = judge(calls);
    for (const [count, number] of Object.entries(found.counts))
      counts[count] = (counts[count] ?? 0) + number;
    if (found.unknown !== undefined) undecided ??= `undecided: the ${title}: ${found.unknown}`;
    const { wrong = [], shown = [], culprit } = found;
    if (wrong.length === 0 || failed !== undefined) continue;
    const some = shown.slice(0, SHOWN);
    if (culprit !== undefined && !some.includes(culprit)) some[SHOWN - 1] = culprit;
    const more = shown.length > SHOWN ? [`  (${shown.length - SHOWN} more calls)`] : [];
    failed = {
      text: [
        `the ${title} is wrong: ${listed(wrong)}`,
        ...some.map((call) => `  ${line(call)}`),
        ...more,
      ].join('\n'),
      violation: violationOf(some, wordsOf, culprit),
    };
  }
  if (failed !== undefined) return { valid: false, counts, ...failed };
  if (undecided !== undefined) return { valid: undefined, counts, text: undecided };
  return { valid: true, counts };
}

/** Returns 'lost 2 values: a, b', or nothing for no values. */
function of(what: string, values: readonly (readonly [string | number, unknown])[]): string[] {
  if (values.length === 0) return [];
  const noun = values.length === 1 ? 'value' : 'values';
  return [`${values.length} ${what} ${noun}: ${listed(values.map(([value]) => `${value}`))}`];
}

function listed(words: readonly string[]): string {
  return words.length <= SHOWN
    ? words.join(', ')
    : `${words.slice(0, SHOWN).join(', ')} and ${words.length - SHOWN} more`;
}

function isUncertain(call: ObjectCall<unknown, unknown> | undefined): boolean {
  return call?.outcome === 'open' || call?.outcome === 'unknown';
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/** Number of values and calls that a text shows. */
const SHOWN = 12;

// The linearizability check for any sequential object: a search for an order of all calls that
// respects real time and explains every result.

import { refuseUnknown } from '@trunkline/transport-core/backend';
import { type Violation, violationOf } from '../violation.ts';
import type { ObjectModel } from './models.ts';
import type { ObjectCall, ObjectHistory } from './object-history.ts';
import type { Pattern } from './patterns.ts';
import { grouped, line, wordsOf } from './words.ts';

/** The result of `check.object`. */
export type ObjectVerdict<Command, Result> =
  /** `configurations` is the number of pairs of a state and a set of calls that were visited. */
  | { readonly linearizable: true; readonly configurations: number }
  /**
   * No order explains the calls. `calls` are the calls of one object until the return of `culprit`,
   * which fits into no order; `text` shows the last few of these calls, and the states that the
   * object may have had. If a long history was judged without a search, `calls` are only the few
   * that no order explains. If the verdict is the `cause` of a scenario's error, the failure's
   * report shows `violation`.
   */
  | {
      readonly linearizable: false;
      readonly configurations: number;
      readonly culprit: ObjectCall<Command, Result>;
      readonly calls: readonly ObjectCall<Command, Result>[];
      readonly text: string;
      readonly violation: Violation;
    }
  /** The limit was reached; `text` says how many calls some order explains. */
  | { readonly linearizable: undefined; readonly configurations: number; readonly text: string };

/**
 * Checks whether some order of all calls respects real time and is one that the model allows. The
 * search is that of Wing and Gong (Testing and Verifying Concurrent Objects, 1993), and remembers
 * the configurations that it has visited (Lowe, Testing for Linearizability, 2017). Objects with
 * different names are checked separately.
 *
 * Some histories need no search, only nearly linear time: those of queues and bags whose values are
 * all different and whose dequeues all have known outcomes (or that fail without the unknown ones),
 * those of sets whose values are added once and only read as a whole, and those of counters with a
 * read outside of its bounds. Linearizability of other histories is NP-hard.
 *
 * @param history the history, or its calls, which must be in order of call.
 * @param limit maximum number of configurations to visit for one object, beyond which the verdict
 * is `undefined`; default 200,000. A hundred calls that are tried count as one more, and so do a
 * hundred characters of states that are remembered, so the limit bounds time and memory: the
 * default takes about two seconds and at most some 100 MB. Unknown outcomes multiply the
 * configurations, so a higher limit rarely helps.
 * @throws TypeError for an unknown option, and for a dequeue that is `ok` without a result.
 */
export function checkObject<State, Command, Result>(
  history: ObjectHistory<Command, Result> | readonly ObjectCall<Command, Result>[],
  model: ObjectModel<State, Command, Result>,
  options: { readonly limit?: number | undefined } = {},
): ObjectVerdict<Command, Result> {
  refuseUnknown(options, 'check.object', ['limit']);
  const { limit = 200_000 } = options;
  const calls = 'calls' in history ? history.calls : history;
  let configurations = 0;
  let undecided: string | undefined;
  for (const [title, part] of partsOf(calls, model)) {
    const pattern = model.decide?.(part);
    if (pattern?.calls.length === 0) continue;
    const found = pattern === undefined ? search(part, model, limit) : NOTHING;
    configurations += found.configurations;
    if (pattern === undefined && found.culprit === undefined) {
      if (found.isOrdered === undefined) undecided ??= known(title, part, found, limit);
      continue;
    }
    const { culprit = found.culprit, states } = plainer(part, model, found);
    if (culprit === undefined)
      return { linearizable: false, configurations, ...failedBy(title, pattern!) };
    const before = part.filter(({ called }) => called < culprit.returned!);
    const shown = before.filter(
      (call, index) => call === culprit || index >= before.length - SHOWN_CALLS,
    );
    const text = explained(title, shown, before.length, culprit, states.map(model.show));
    const violation = violationOf(shown, wordsOf, culprit);
    return { linearizable: false, configurations, culprit, calls: before, text, violation };
  }
  if (undecided === undefined) return { linearizable: true, configurations };
  return { linearizable: undefined, configurations, text: undecided };
}

/** Returns the calls of each object, or of each of its independent parts, with a title. */
function partsOf<State, Command, Result>(
  calls: readonly ObjectCall<Command, Result>[],
  model: ObjectModel<State, Command, Result>,
): (readonly [title: string, calls: readonly ObjectCall<Command, Result>[]])[] {
  const objects = grouped(calls, (command) => model.objectOf?.(command) ?? '');
  return [...objects].flatMap(([name, ofObject]) => {
    const title = name === '' ? model.name : `${model.name} ${name}`;
    return (model.parts?.(ofObject) ?? [ofObject]).map((part) => [title, part] as const);
  });
}

/** Returns the verdict about a pattern. */
function failedBy<Command, Result>(title: string, { calls, reason }: Pattern<Command, Result>) {
  const endOf = ({ outcome, returned = 0 }: ObjectCall<Command, Result>) =>
    outcome === 'ok' ? returned : 0;
  const culprit = calls.reduce((a, b) => (endOf(a) < endOf(b) ? b : a));
  const lines = calls.map((call) => `  ${line(call)}`);
  const text = [head(title), ...lines, reason].join('\n');
  return { culprit, calls, text, violation: violationOf(calls, wordsOf, culprit) };
}

function head(title: string): string {
  return `the ${title} is not linearizable: client, command -> result, [call..return]`;
}

interface Found<State, Command, Result> {
  /** True if there is an order; undefined if the limit was reached. */
  readonly isOrdered: boolean | undefined;
  readonly configurations: number;
  /** The call that fits into no order. */
  readonly culprit: ObjectCall<Command, Result> | undefined;
  /** The states in which the culprit was tried. */
  readonly states: readonly State[];
  /** The number of completed calls, in order of their answers, that some order explains. */
  readonly explained: number;
}

/** A configuration: the calls that have been taken, and the state that they left. */
interface Configuration<State> {
  /** All certain calls before this one, in order of call, are taken. */
  readonly from: number;
  /** The certain calls from there on that are taken. */
  readonly taken: bigint;
  /** The calls of unknown outcome that are taken. */
  readonly unsure: bigint;
  readonly state: State;
  /** All certain calls before this one, in order of their answers, are taken. */
  readonly due: number;
}

function search<State, Command, Result>(
  calls: readonly ObjectCall<Command, Result>[],
  model: ObjectModel<State, Command, Result>,
  limit: number,
): Found<State, Command, Result> {
  /** Calls that certainly took effect, in order of call, and in order of their answers. */
  const certain = calls.filter(({ outcome }) => outcome === 'ok');
  const order = certain
    .map((call, index) => ({ call, index }))
    .sort((a, b) => a.call.returned! - b.call.returned!);
  const unsure = calls.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'failed');
  const twins = twinsOf(unsure, model.isAnonymous === true);
  const guide = model.guide?.(calls);
  const rank = (call: ObjectCall<Command, Result>) => {
    if (guide !== undefined) return guide.rank(call);
    return call.outcome === 'ok' ? call.returned! : Number.POSITIVE_INFINITY;
  };
  const visited = new Set<string>();
  const stack: Configuration<State>[] = [
    { from: 0, taken: 0n, unsure: 0n, state: model.initial, due: 0 },
  ];
  /** Calls that were tried, and characters of configurations that are remembered. */
  let effort = 0;
  /** The last answer that some order reaches, as an index into `order`. */
  let furthest = -1;
  let states: State[] = [];
  const ended = (isOrdered: boolean | undefined) => ({
    isOrdered,
    configurations: visited.size,
    culprit: isOrdered === false ? order[furthest]!.call : undefined,
    states,
    explained: furthest,
  });
  while (stack.length > 0) {
    let { from, taken, unsure: used, state, due } = stack.pop()!;
    const isTaken = (index: number) =>
      index < from || ((taken >> BigInt(index - from)) & 1n) !== 0n;
    while (due < order.length && isTaken(order[due]!.index)) due++;
    if (due === order.length) return ended(true);
    for (; (taken & 1n) !== 0n; from++) taken >>= 1n;
    const key = `${from} ${taken.toString(36)} ${used.toString(36)} ${model.show(state)}`;
    if (visited.has(key)) continue;
    visited.add(key);
    effort += key.length;
    if (visited.size + effort / EFFORT > limit) return ended(undefined);
    if (due > furthest) [furthest, states] = [due, []];
    if (due === furthest && states.length < SHOWN_STATES) states.push(state);
    // Only a call that began before the first outstanding answer can come next. Configurations
    // pushed last are tried first.
    const { returned } = order[due]!.call;
    const next: { call: ObjectCall<Command, Result>; after: Configuration<State> }[] = [];
    let settled: Configuration<State> | undefined;
    for (let i = from; i < certain.length && certain[i]!.called < returned!; i++) {
      if (isTaken(i)) continue;
      const call = certain[i]!;
      const place = { from, taken: taken | (1n << BigInt(i - from)), unsure: used, due };
      const afters = model.step(state, call);
      effort++;
      if (afters.length === 1 && Object.is(afters[0], state)) settled = { ...place, state };
      for (const after of afters)
        if (!guide?.isDead(after)) next.push({ call, after: { ...place, state: after } });
    }
    // A call that fits and changes nothing can come first in every order that follows.
    if (settled !== undefined) {
      stack.push(settled);
      continue;
    }
    for (let i = 0; i < unsure.length && unsure[i]!.called < returned!; i++) {
      const bit = 1n << BigInt(i);
      if ((used & bit) !== 0n || (used & twins[i]!) !== twins[i]!) continue;
      const call = unsure[i]!;
      // A call of unknown outcome that changes nothing need not be taken.
      for (const after of model.step(state, call)) {
        effort++;
        if (Object.is(after, state) || guide?.isDead(after)) continue;
        next.push({ call, after: { from, taken, unsure: used | bit, state: after, due } });
      }
    }
    next.sort((a, b) => rank(b.call) - rank(a.call) || b.call.called - a.call.called);
    for (const { after } of next) stack.push(after);
  }
  return ended(false);
}

/**
 * Returns for each call of unknown outcome the bit of the previous one that is interchangeable with
 * it, which is taken first; 0 if there is none.
 */
function twinsOf(calls: readonly ObjectCall<unknown, unknown>[], isAnonymous: boolean): bigint[] {
  const last = new Map<string, bigint>();
  return calls.map(({ client, command }, index) => {
    const kind = JSON.stringify([command, isAnonymous ? 0 : client]);
    const twin = last.get(kind) ?? 0n;
    last.set(kind, 1n << BigInt(index));
    return twin;
  });
}

/**
 * Searches again without the guide, if the history is not long. The guide discards orders before
 * their contradiction shows, and a pattern is found without an order; this search finds the call
 * that shows the contradiction. Returns no culprit if there is no better explanation.
 */
function plainer<State, Command, Result>(
  calls: readonly ObjectCall<Command, Result>[],
  { guide, ...model }: ObjectModel<State, Command, Result>,
  found: Found<State, Command, Result>,
): {
  readonly culprit: ObjectCall<Command, Result> | undefined;
  readonly states: readonly State[];
} {
  if (guide === undefined && found.culprit !== undefined) return found;
  if (calls.length > PLAIN_CALLS) return NOTHING;
  return search(calls, model, PLAIN_LIMIT);
}

/** Says what is known about an object at the limit. */
function known(
  title: string,
  calls: readonly ObjectCall<unknown, unknown>[],
  { explained }: Found<unknown, unknown, unknown>,
  limit: number,
): string {
  const completed = calls.filter(({ outcome }) => outcome === 'ok').length;
  const unknown = calls.filter(({ outcome }) => outcome === 'open' || outcome === 'unknown').length;
  return `undecided: the ${title} needs more than ${limit} configurations: some order explains the first ${explained} of its ${completed} completed calls, and ${unknown} calls of unknown outcome multiply the orders; raise the limit, or let clients have fewer unknown outcomes`;
}

function explained<Command, Result>(
  title: string,
  shown: readonly ObjectCall<Command, Result>[],
  total: number,
  culprit: ObjectCall<Command, Result>,
  states: readonly string[],
): string {
  const left = total - shown.length;
  const lines = shown.map(
    (call) =>
      `  ${line(call)}${call === culprit && states.length > 0 ? '   <- cannot be explained' : ''}`,
  );
  return [
    head(title),
    ...(left > 0 ? [`  (${left} earlier calls)`] : []),
    ...lines,
    states.length === 0
      ? 'every order of these calls contradicts the result of a later call'
      : `when ${line(culprit)} returned, the ${title} was ${[...new Set(states)].join(' or ')}, in every order that explains the calls before it`,
  ].join('\n');
}

/** Number of the last calls that an explanation shows. */
const SHOWN_CALLS = 12;
/** Maximum number of configurations to visit for a better explanation. */
const PLAIN_LIMIT = 20_000;
/** Maximum number of calls of a history that is searched for a better explanation. */
const PLAIN_CALLS = 2_000;
/** Number of calls tried, or of characters remembered, that count as one configuration. */
const EFFORT = 100;
const NOTHING = {
  isOrdered: undefined,
  configurations: 0,
  culprit: undefined,
  states: [],
  explained: 0,
} as const;
/** Maximum number of states that an explanation shows. */
const SHOWN_STATES = 4;

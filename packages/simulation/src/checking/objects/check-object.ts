// The linearizability check for any sequential object: a search for an order of all calls that
// respects real time and explains every result.

import { refuseUnknown } from '@trunkline/transport-core/backend';
import { type Violation, violationOf } from '../violation.ts';
import type { ObjectModel } from './models.ts';
import type { ObjectCall, ObjectHistory } from './object-history.ts';

/** The result of `check.object`. */
export type ObjectVerdict<Command, Result> =
  /** `configurations` is the number of pairs of a state and a set of calls that were visited. */
  | { readonly linearizable: true; readonly configurations: number }
  /**
   * No order explains the calls. `calls` are those of one object up to `culprit`, the call that no
   * order could place; `text` shows the last of them and the states that the object may have had.
   * If the verdict is the `cause` of an error that a scenario throws, the failure shows `violation`.
   */
  | {
      readonly linearizable: false;
      readonly configurations: number;
      readonly culprit: ObjectCall<Command, Result>;
      readonly calls: readonly ObjectCall<Command, Result>[];
      readonly text: string;
      readonly violation: Violation;
    }
  /** The limit was reached. */
  | { readonly linearizable: undefined; readonly configurations: number; readonly text: string };

/**
 * Checks whether some order of all calls respects real time and is one that the model allows. The
 * search is that of Wing and Gong (Testing and Verifying Concurrent Objects, 1993), and remembers
 * the configurations that it has visited (Lowe, Testing for Linearizability, 2017). Objects with
 * different names are checked separately.
 *
 * @param limit maximum number of configurations to visit for one object, beyond which the verdict
 * is `undefined`; default 1,000,000. Unknown outcomes multiply the configurations.
 */
export function checkObject<State, Command, Result>(
  history: ObjectHistory<Command, Result> | readonly ObjectCall<Command, Result>[],
  model: ObjectModel<State, Command, Result>,
  options: { readonly limit?: number | undefined } = {},
): ObjectVerdict<Command, Result> {
  refuseUnknown(options, 'check.object', ['limit']);
  const { limit = 1_000_000 } = options;
  const calls = 'calls' in history ? history.calls : history;
  const objects = new Map<string, ObjectCall<Command, Result>[]>();
  for (const call of calls) {
    const name = model.objectOf?.(call.command) ?? '';
    objects.set(name, [...(objects.get(name) ?? []), call]);
  }
  let configurations = 0;
  let undecided: string | undefined;
  for (const [name, ofObject] of objects) {
    const title = name === '' ? model.name : `${model.name} ${name}`;
    const found = search(ofObject, model, limit);
    configurations += found.configurations;
    if (found.culprit === undefined) {
      if (found.isOrdered === undefined) undecided ??= title;
      continue;
    }
    const { culprit, states } = plainer(ofObject, model, found);
    const before = ofObject.filter(({ called }) => called < culprit.returned!);
    const shown = before.filter(
      (call, index) => call === culprit || index >= before.length - SHOWN_CALLS,
    );
    const text = explained(title, shown, before.length, culprit, states.map(model.show));
    const violation = violationOf(shown, wordsOf, culprit);
    return { linearizable: false, configurations, culprit, calls: before, text, violation };
  }
  if (undecided === undefined) return { linearizable: true, configurations };
  const text = `undecided: the ${undecided} needs more than ${limit} configurations: raise the limit, or let clients have fewer unknown outcomes`;
  return { linearizable: undefined, configurations, text };
}

interface Found<State, Command, Result> {
  /** True if there is an order; undefined if the limit was reached. */
  readonly isOrdered: boolean | undefined;
  readonly configurations: number;
  /** The call that fits into no order. */
  readonly culprit: ObjectCall<Command, Result> | undefined;
  /** The states in which the culprit was tried. */
  readonly states: readonly State[];
}

/** A configuration: the calls that have been taken, and the state that they left. */
interface Configuration<State> {
  readonly taken: bigint;
  readonly state: State;
  /** All calls before this one are taken. */
  readonly from: number;
  /** All certain calls before this one, in order of their answers, are taken. */
  readonly due: number;
}

function search<State, Command, Result>(
  all: readonly ObjectCall<Command, Result>[],
  model: ObjectModel<State, Command, Result>,
  limit: number,
): Found<State, Command, Result> {
  const calls = all.filter(({ outcome }) => outcome !== 'failed');
  const bits = calls.map((_, index) => 1n << BigInt(index));
  /** Calls that certainly took effect, in order of their answers. */
  const certain = calls
    .map((call, index) => ({ call, index }))
    .filter(({ call }) => call.outcome === 'ok')
    .sort((a, b) => a.call.returned! - b.call.returned!);
  const guide = model.guide?.(calls);
  const ranks = calls.map((call) => {
    if (guide !== undefined) return guide.rank(call);
    return call.outcome === 'ok' ? call.returned! : Number.POSITIVE_INFINITY;
  });
  const visited = new Set<string>();
  const stack: Configuration<State>[] = [{ taken: 0n, state: model.initial, from: 0, due: 0 }];
  /** The last answer that some order reaches, as an index into `certain`. */
  let furthest = -1;
  let states: State[] = [];
  const ended = (isOrdered: boolean | undefined) => ({
    isOrdered,
    configurations: visited.size,
    culprit: isOrdered === false ? certain[furthest]!.call : undefined,
    states,
  });
  while (stack.length > 0) {
    let { taken, state, from, due } = stack.pop()!;
    const isTaken = (index: number) => (taken & bits[index]!) !== 0n;
    while (due < certain.length && isTaken(certain[due]!.index)) due++;
    if (due === certain.length) return ended(true);
    while (isTaken(from)) from++;
    const key = `${from} ${(taken >> BigInt(from)).toString(36)} ${model.show(state)}`;
    if (visited.has(key)) continue;
    visited.add(key);
    if (visited.size > limit) return ended(undefined);
    if (due > furthest) [furthest, states] = [due, []];
    if (due === furthest && states.length < SHOWN_STATES) states.push(state);
    // Only a call that began before the first outstanding answer can come next. Configurations
    // pushed last are tried first.
    const { returned } = certain[due]!.call;
    const next: number[] = [];
    for (let i = from; i < calls.length && calls[i]!.called < returned!; i++)
      if (!isTaken(i)) next.push(i);
    for (const index of next.sort((a, b) => ranks[b]! - ranks[a]! || b - a))
      for (const after of model.step(state, calls[index]!))
        if (!guide?.isDead(after))
          stack.push({ taken: taken | bits[index]!, state: after, from, due });
  }
  return ended(false);
}

/**
 * Searches again without the guide. The guide discards orders before their contradiction shows;
 * without the guide, the culprit is the call that shows the contradiction. Keeps the first result
 * if the second search takes too long.
 */
function plainer<State, Command, Result>(
  calls: readonly ObjectCall<Command, Result>[],
  { guide, ...model }: ObjectModel<State, Command, Result>,
  found: Found<State, Command, Result>,
): { readonly culprit: ObjectCall<Command, Result>; readonly states: readonly State[] } {
  const again = guide === undefined ? found : search(calls, model, PLAIN_LIMIT);
  const { culprit, states } = again.culprit === undefined ? found : again;
  return { culprit: culprit!, states: again.culprit === undefined ? [] : states };
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
    `the ${title} is not linearizable: client, command -> result, [call..return]`,
    ...(left > 0 ? [`  (${left} earlier calls)`] : []),
    ...lines,
    states.length === 0
      ? 'every order of these calls contradicts the result of a later call'
      : `when ${line(culprit)} returned, the ${title} was ${[...new Set(states)].join(' or ')}, in every order that explains the calls before it`,
  ].join('\n');
}

function line<Command, Result>(call: ObjectCall<Command, Result>): string {
  const { client, outcome, called, returned } = call;
  return `${client}  ${wordsOf(call)}  [${called}..${outcome === 'ok' ? returned : '?'}]`;
}

/** Formats the command and the result of a call. */
function wordsOf<Command, Result>({ command, outcome, result }: ObjectCall<Command, Result>) {
  const { op, object, ...rest } = command as Record<string, unknown>;
  const words = [op, ...(object === undefined ? [] : [object]), ...Object.values(rest).map(textOf)];
  const answer = outcome === 'ok' ? (result === undefined ? 'ok' : textOf(result)) : '?';
  return `${words.join(' ')} -> ${answer}`;
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

/** Number of the last calls that an explanation shows. */
const SHOWN_CALLS = 12;
/** Maximum number of configurations to visit for a better explanation. */
const PLAIN_LIMIT = 20_000;
/** Maximum number of states that an explanation shows. */
const SHOWN_STATES = 4;

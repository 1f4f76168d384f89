// The models of shared objects: the answers that a queue, a set, a counter and a lock may give if
// they are used by one call at a time.

import { outOfBounds } from './bounds.ts';
import type {
  CounterCommand,
  CounterResult,
  LockCommand,
  LockResult,
  QueueCommand,
  QueueResult,
  SetCommand,
  SetResult,
} from './commands.ts';
import type { ObjectCall } from './object-history.ts';
import { type Pattern, queuePattern, setPattern } from './patterns.ts';
import { grouped } from './words.ts';

/** A sequential object. States are immutable. */
export interface ObjectModel<State, Command, Result> {
  /** The name in messages: 'queue'. */
  readonly name: string;
  readonly initial: State;
  /**
   * Returns the states in which a call may leave the object: no state if the result of the call is
   * impossible, several if the result is not known. Returning `state` itself, if the call changes
   * nothing, makes the search shorter. Not called for a `failed` call.
   */
  step(state: State, call: ObjectCall<Command, Result>): readonly State[];
  /**
   * Returns a text that equal states share, and no others: the search takes states with the same
   * text for the same state. Messages show it.
   */
  show(state: State): string;
  /** Returns the name of the object that a command uses, if a history covers several. */
  objectOf?(command: Command): string;
  /**
   * Returns advice for the search, from all calls of an object, to make the search shorter. The
   * verdict is the same without it.
   */
  guide?(calls: readonly ObjectCall<Command, Result>[]): ObjectGuide<State, Command, Result>;
  /**
   * True if `step` does not depend on the client. Calls of unknown outcome with equal commands are
   * then interchangeable, which makes the search shorter.
   */
  readonly isAnonymous?: boolean;
  /**
   * Splits the calls of an object into parts that no order relates, and that are checked
   * separately; undefined if they cannot be split.
   */
  parts?(
    calls: readonly ObjectCall<Command, Result>[],
  ): readonly (readonly ObjectCall<Command, Result>[])[] | undefined;
  /**
   * Decides about all calls of an object without a search. Returns calls that no order explains,
   * with the reason, no calls if the history is linearizable, or undefined if it cannot tell.
   */
  decide?(calls: readonly ObjectCall<Command, Result>[]): Pattern<Command, Result> | undefined;
}

/** Advice for the search. */
export interface ObjectGuide<State, Command, Result> {
  /** Returns the rank of a call: calls with smaller numbers are tried first. */
  rank(call: ObjectCall<Command, Result>): number;
  /** Returns true if no order of the calls that follow this state can explain their results. */
  isDead(state: State): boolean;
}

/** The models that `check.object` takes. */
export const models = {
  /** A queue: first in, first out. */
  queue: (): ObjectModel<readonly string[], QueueCommand, QueueResult> => ({
    name: 'queue',
    initial: [],
    step(state, { command, outcome, result }) {
      if (command.op === 'enqueue') return [[...state, command.value]];
      const taken = checkTaken(outcome, result);
      const [first = null, ...rest] = state;
      const next = first === null ? state : rest;
      return taken === undefined || taken === first ? [next] : [];
    },
    show: (state) => JSON.stringify(state),
    objectOf,
    guide: queueGuide,
    isAnonymous: true,
    decide: (calls) => queuePattern(calls, true),
  }),

  /** A queue that may deliver its values in any order, but each only once. */
  bag: (): ObjectModel<readonly string[], QueueCommand, QueueResult> => ({
    name: 'bag',
    initial: [],
    step(state, { command, outcome, result }) {
      if (command.op === 'enqueue') return [[...state, command.value].sort()];
      const taken = checkTaken(outcome, result);
      const without = (value: string) => state.toSpliced(state.indexOf(value), 1);
      if (taken === undefined)
        return state.length === 0 ? [state] : [...new Set(state)].map(without);
      if (taken === null) return state.length === 0 ? [state] : [];
      return state.includes(taken) ? [without(taken)] : [];
    },
    show: (state) => JSON.stringify(state),
    objectOf,
    isAnonymous: true,
    decide: (calls) => queuePattern(calls, false),
  }),

  /** A set of texts. */
  set: (): ObjectModel<readonly string[], SetCommand, SetResult> => ({
    name: 'set',
    initial: [],
    step(state, { command, outcome, result }) {
      const isKnown = outcome === 'ok' && result !== undefined;
      if (command.op === 'read') {
        const isRead =
          isKnown && JSON.stringify([...(result as string[])].sort()) !== JSON.stringify(state);
        return isRead ? [] : [state];
      }
      const { op, value } = command;
      const has = state.includes(value);
      const answer = op === 'add' ? !has : has;
      if (isKnown && result !== answer) return [];
      if (op === 'has' || !answer) return [state];
      return [op === 'add' ? [...state, value].sort() : state.filter((each) => each !== value)];
    },
    show: (state) => JSON.stringify(state),
    objectOf,
    isAnonymous: true,
    decide: setPattern,
    // Without reads of the whole set, each value is an object of its own.
    parts(calls) {
      if (calls.some(({ command, outcome }) => command.op === 'read' && outcome === 'ok')) return;
      return [...grouped(calls, (command) => ('value' in command ? command.value : '')).values()];
    },
  }),

  /** A counter that begins at 0. */
  counter: (): ObjectModel<number, CounterCommand, CounterResult> => ({
    name: 'counter',
    initial: 0,
    step(state, { command, outcome, result }) {
      const next = command.op === 'add' ? state + command.by : state;
      return outcome !== 'ok' || result === undefined || result === next ? [next] : [];
    },
    show: String,
    objectOf,
    isAnonymous: true,
    decide(calls) {
      const [first] = outOfBounds(calls);
      if (first === undefined) return undefined;
      const { call, least, most } = first;
      return { calls: [call], reason: `it is not between ${least} and ${most}` };
    },
  }),

  /** A lock that only one client can hold at a time. */
  lock: (): ObjectModel<LockState, LockCommand, LockResult> => ({
    name: 'lock',
    initial: { holder: undefined, token: Number.NEGATIVE_INFINITY },
    step({ holder, token }, { client, command, outcome, result }) {
      if (command.op === 'release') return holder === client ? [{ holder: undefined, token }] : [];
      if (outcome === 'ok' && result === false)
        return holder === undefined ? [] : [{ holder, token }];
      if (holder !== undefined) return outcome === 'ok' ? [] : [{ holder, token }];
      if (typeof result !== 'number') return [{ holder: client, token }];
      return result > token ? [{ holder: client, token: result }] : [];
    },
    show: ({ holder, token }) =>
      `${holder === undefined ? 'free' : `held by ${holder}`}${token > Number.NEGATIVE_INFINITY ? `, last token ${token}` : ''}`,
    objectOf,
  }),
} as const;

/** The state of a lock: its holder, and the last token that it issued. */
export interface LockState {
  readonly holder: string | undefined;
  readonly token: number;
}

/**
 * Returns a guide for queues: the times at which values were taken show the order in which they
 * were added.
 */
function queueGuide(
  calls: readonly ObjectCall<QueueCommand, QueueResult>[],
): ObjectGuide<readonly string[], QueueCommand, QueueResult> {
  const takers = new Map<string, ObjectCall<QueueCommand, QueueResult>>();
  let twice = false;
  let hasUnknown = false;
  const values = new Set<string>();
  for (const call of calls) {
    const { command, outcome, result } = call;
    if (command.op === 'enqueue') {
      twice ||= values.has(command.value);
      values.add(command.value);
    } else if (outcome === 'ok' && typeof result === 'string') takers.set(result, call);
    else hasUnknown ||= outcome !== 'failed' && result !== null;
  }
  return {
    rank({ command, returned }) {
      const taker = command.op === 'enqueue' ? takers.get(command.value) : undefined;
      if (command.op === 'enqueue' && !twice) return taker?.returned ?? Number.POSITIVE_INFINITY;
      return returned ?? Number.POSITIVE_INFINITY;
    },
    isDead(state) {
      const last = state.at(-1);
      const taker = last === undefined ? undefined : takers.get(last);
      if (taker === undefined || twice || hasUnknown) return false;
      // The last value was taken before a value that was added earlier, or the earlier value was
      // never taken.
      return state.slice(0, -1).some((value) => {
        const other = takers.get(value);
        return other === undefined || taker.returned! < other.called;
      });
    },
  };
}

/**
 * Returns the result of a dequeue; undefined if its outcome is not known.
 *
 * @throws TypeError if it is `ok` and has no result.
 */
function checkTaken(
  outcome: ObjectCall<QueueCommand, QueueResult>['outcome'],
  result: QueueResult | undefined,
): QueueResult | undefined {
  if (outcome !== 'ok') return undefined;
  if (result === undefined)
    throw new TypeError(
      "a dequeue has the outcome ok and the result undefined: pass the value to ok(), or null if the queue was empty; call unknown() if you don't know the value",
    );
  return result;
}

function objectOf({ object = '' }: { readonly object?: string | undefined }): string {
  return object;
}

// The models of shared objects: the answers that a queue, a set, a counter and a lock may give if
// they are used by one call at a time.

import type { ObjectCall } from './object-history.ts';

/** A sequential object. States are immutable. */
export interface ObjectModel<State, Command, Result> {
  /** The name in messages: 'queue'. */
  readonly name: string;
  readonly initial: State;
  /**
   * Returns the states in which a call may leave the object: no state if the result of the call is
   * impossible, several if the result is not known.
   */
  step(state: State, call: ObjectCall<Command, Result>): readonly State[];
  /** Returns a text that is equal for equal states; messages show it. */
  show(state: State): string;
  /** Returns the name of the object that a command uses, if a history covers several. */
  objectOf?(command: Command): string;
  /**
   * Returns advice for the search, from all calls of an object, to make the search shorter. The
   * verdict is the same without it.
   */
  guide?(calls: readonly ObjectCall<Command, Result>[]): ObjectGuide<State, Command, Result>;
}

/** Advice for the search. */
export interface ObjectGuide<State, Command, Result> {
  /** Returns the rank of a call: calls with smaller numbers are tried first. */
  rank(call: ObjectCall<Command, Result>): number;
  /** Returns true if no order of the calls that follow this state can explain their results. */
  isDead(state: State): boolean;
}

/** A command of a queue or a bag. A name distinguishes several objects. */
export type QueueCommand =
  | { readonly op: 'enqueue'; readonly value: string; readonly object?: string | undefined }
  | { readonly op: 'dequeue'; readonly object?: string | undefined };
/**
 * The value that a dequeue took; `null` if the queue was empty. An enqueue has no result. A dequeue
 * that is reported as `ok` without a result makes `check.object` throw a TypeError, because it
 * would hide a lost value.
 */
export type QueueResult = string | null;

/** A command of a set. */
export type SetCommand =
  | { readonly op: 'add' | 'remove' | 'has'; readonly value: string; readonly object?: string }
  | { readonly op: 'read'; readonly object?: string | undefined };
/**
 * For add and remove: true if that changed the set. For has: true if the set contains the value.
 * For read: all values.
 */
export type SetResult = boolean | readonly string[];

/** A command of a counter, which begins at 0. `by` may be negative. */
export type CounterCommand =
  | { readonly op: 'add'; readonly by: number; readonly object?: string | undefined }
  | { readonly op: 'read'; readonly object?: string | undefined };
/** For read: the value. For add: the value afterwards, if the client learns it. */
export type CounterResult = number;

/** A command of a lock. A client that holds it must not acquire it again. */
export type LockCommand = {
  readonly op: 'acquire' | 'release';
  readonly object?: string | undefined;
};
/**
 * For acquire: a fencing token, which must be greater than that of every earlier holder; `true` if
 * the lock has no tokens; `false` if another client held the lock. A release has no result.
 */
export type LockResult = number | boolean;

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

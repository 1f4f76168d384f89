// The commands of queues, sets, counters and locks, and their results.

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

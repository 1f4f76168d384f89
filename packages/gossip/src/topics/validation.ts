// Runs validators: a limited number at a time, each with a timeout. Further messages wait in a
// bounded queue, in which the peers that sent them take turns.

import type { Clock } from '@trunkline/transport-core';
import type { MessageVerdict } from '../types.ts';

/** The outcome of a validation. */
export type Finding = MessageVerdict | 'timeout' | 'overloaded' | 'failed';

/** Limits of the validation. */
export interface ValidationOptions {
  /** Time limit of each validator, in milliseconds from its start. */
  readonly timeout: number;
  /** Maximum number of validators that run at a time. */
  readonly atOnce: number;
  /** Maximum number of messages that wait. */
  readonly messages: number;
  /** Maximum size in bytes of all waiting messages. A single message may always wait. */
  readonly bytes: number;
}

/** A message to validate. */
export interface Check {
  /** The peer that sent it. */
  readonly from: string;
  readonly size: number;
  begin(): MessageVerdict | Promise<MessageVerdict>;
  /** Called once, either synchronously or later. */
  settled(finding: Finding, error?: unknown): void;
}

/** The waiting messages of one peer, the oldest first. The places before `next` are empty. */
interface Lane {
  checks: (Check | undefined)[];
  next: number;
  bytes: number;
}

/** The running validators of one topic, and the messages that wait for one. */
export class Validation {
  readonly #options: ValidationOptions;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #dueBy: (time: number) => void;
  /**
   * Running validators, the oldest first. All have the same timeout, so they are sorted by their
   * deadlines.
   */
  readonly #pending = new Map<
    object,
    { readonly due: number; readonly settle: (finding: Finding, error?: unknown) => void }
  >();
  /** The peers that have waiting messages; the first one is served next. */
  readonly #lanes = new Map<string, Lane>();
  #waiting = 0;
  #bytes = 0;
  #isDraining = false;

  /** @param dueBy arranges a call of `wake` at that time or earlier */
  constructor(
    options: ValidationOptions,
    clock: Pick<Clock, 'now'>,
    dueBy: (time: number) => void,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#dueBy = dueBy;
  }

  /** Number of running validators. */
  get size(): number {
    return this.#pending.size;
  }

  /** Number of waiting messages. */
  get waiting(): number {
    return this.#waiting;
  }

  get due(): number {
    if (this.#pending.size === 0) return Number.POSITIVE_INFINITY;
    for (const { due } of this.#pending.values()) return due;
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Validates a message, now or when it is the turn of its sender. If too many wait, the sender of
   * most of them loses its newest.
   */
  run(check: Check, now: number): void {
    if (this.#waiting === 0 && this.#pending.size < this.#options.atOnce)
      return this.#begin(check, now);
    const { from, size } = check;
    const own = this.#lanes.get(from) ?? { checks: [], next: 0, bytes: 0 };
    this.#lanes.set(from, own);
    own.checks.push(check);
    this.#count(own, 1, size);
    const { messages, bytes } = this.#options;
    while (this.#waiting > messages) this.#drop(own, lengthOf);
    while (this.#waiting > 1 && this.#bytes > bytes) this.#drop(own, (lane) => lane.bytes);
  }

  /** Ends validations that took too long, with the finding `timeout`. */
  wake(now: number): void {
    for (const { due, settle } of [...this.#pending.values()]) {
      if (now < due) return;
      settle('timeout');
    }
  }

  /** Forgets all validations; their outcomes are no longer reported. */
  clear(): void {
    this.#pending.clear();
    this.#lanes.clear();
    this.#waiting = this.#bytes = 0;
  }

  #begin(check: Check, now: number): void {
    let verdict: MessageVerdict | Promise<MessageVerdict>;
    try {
      verdict = check.begin();
    } catch (error) {
      return check.settled('failed', error);
    }
    if (typeof verdict === 'string') return check.settled(...known(verdict));
    const ticket = {};
    const settle = (finding: Finding, error?: unknown) => {
      if (!this.#pending.delete(ticket)) return;
      check.settled(finding, error);
      this.#drain();
    };
    this.#pending.set(ticket, { due: now + this.#options.timeout, settle });
    Promise.resolve(verdict).then(
      (given) => settle(...known(given)),
      (error) => settle('failed', error),
    );
  }

  /** Begins waiting validations while there is room. */
  #drain(): void {
    if (this.#waiting === 0 || this.#isDraining) return;
    this.#isDraining = true;
    const now = this.#clock.now();
    while (this.#waiting > 0 && this.#pending.size < this.#options.atOnce)
      this.#begin(this.#take(), now);
    this.#isDraining = false;
    this.#dueBy(this.due);
  }

  /** Removes the oldest message of the peer whose turn it is. */
  #take(): Check {
    const [from, lane] = this.#lanes.entries().next().value!;
    const check = lane.checks[lane.next]!;
    lane.checks[lane.next++] = undefined;
    this.#count(lane, -1, -check.size);
    this.#lanes.delete(from);
    if (lengthOf(lane) > 0) this.#lanes.set(from, lane);
    if (lane.next >= COMPACT) {
      lane.checks.splice(0, lane.next);
      lane.next = 0;
    }
    return check;
  }

  /** Drops the newest message of the peer that has most, or of `own` if none has more. */
  #drop(own: Lane, measure: (lane: Lane) => number): void {
    let most = own;
    for (const lane of this.#lanes.values()) if (measure(lane) > measure(most)) most = lane;
    const check = most.checks.pop()!;
    this.#count(most, -1, -check.size);
    if (lengthOf(most) === 0) this.#lanes.delete(check.from);
    check.settled('overloaded');
  }

  #count(lane: Lane, messages: number, bytes: number): void {
    lane.bytes += bytes;
    this.#bytes += bytes;
    this.#waiting += messages;
  }
}

function lengthOf({ checks, next }: Lane): number {
  return checks.length - next;
}

function known(verdict: unknown): [Finding, unknown?] {
  if (verdict === 'accept' || verdict === 'reject' || verdict === 'ignore') return [verdict];
  return [
    'failed',
    new TypeError(`validate: must return 'accept', 'reject' or 'ignore', got ${String(verdict)}`),
  ];
}

/**
 * Number of empty places at the front that are removed together. Removing each one alone would move
 * all entries behind it.
 */
const COMPACT = 1_024;

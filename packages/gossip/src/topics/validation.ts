// Runs validators: a limited number at a time, each with a timeout. Further messages wait in a
// bounded queue.

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
  readonly size: number;
  begin(): MessageVerdict | Promise<MessageVerdict>;
  /** Called once, either synchronously or later. */
  settled(finding: Finding, error?: unknown): void;
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
  /** Waiting messages, the oldest first. The places before `#next` are empty. */
  #waiting: (Check | undefined)[] = [];
  #next = 0;
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
    return this.#waiting.length - this.#next;
  }

  get due(): number {
    if (this.#pending.size === 0) return Number.POSITIVE_INFINITY;
    for (const { due } of this.#pending.values()) return due;
    return Number.POSITIVE_INFINITY;
  }

  run(check: Check, now: number): void {
    if (this.waiting === 0 && this.#pending.size < this.#options.atOnce)
      return this.#begin(check, now);
    const { messages, bytes } = this.#options;
    if (this.waiting >= messages || (this.waiting > 0 && this.#bytes + check.size > bytes))
      return check.settled('overloaded');
    this.#waiting.push(check);
    this.#bytes += check.size;
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
    this.#waiting = [];
    this.#next = this.#bytes = 0;
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
    if (this.waiting === 0 || this.#isDraining) return;
    this.#isDraining = true;
    const now = this.#clock.now();
    while (this.waiting > 0 && this.#pending.size < this.#options.atOnce) {
      const check = this.#waiting[this.#next]!;
      this.#waiting[this.#next++] = undefined;
      this.#bytes -= check.size;
      if (this.#next === this.#waiting.length || this.#next >= COMPACT) {
        this.#waiting.splice(0, this.#next);
        this.#next = 0;
      }
      this.#begin(check, now);
    }
    this.#isDraining = false;
    this.#dueBy(this.due);
  }
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

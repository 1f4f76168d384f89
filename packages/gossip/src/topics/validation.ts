// Validators at work: so many at once, each in its time; what comes beyond waits, in order and bounded.

import type { Verdict } from '../types.ts';

/** What came of it. */
export type Finding = Verdict | 'timeout' | 'overloaded' | 'failed';

export interface ValidationOptions {
  /** Milliseconds for each, from when it begins. */
  readonly timeout: number;
  /** Validators at work at most. */
  readonly atOnce: number;
  /** Messages that wait at most. */
  readonly messages: number;
  /** Bytes that wait at most; a single message always may. */
  readonly bytes: number;
}

export interface ValidationHost {
  now(): number;
  /** Something is due by then. */
  dueBy(time: number): void;
}

/** A message that is to be validated. */
export interface Check {
  readonly size: number;
  begin(): Verdict | Promise<Verdict>;
  /** Called once, at once or later. */
  settled(finding: Finding, error?: unknown): void;
}

export class Validation {
  readonly #options: ValidationOptions;
  readonly #host: ValidationHost;
  /** Under way, the oldest first: all have the same time. */
  readonly #pending = new Map<object, { readonly due: number; readonly settle: (finding: Finding, error?: unknown) => void }>();
  /** Those that wait, the oldest first; the places before `#next` are free. */
  #waiting: (Check | undefined)[] = [];
  #next = 0;
  #bytes = 0;
  #isDraining = false;

  constructor(options: ValidationOptions, host: ValidationHost) {
    this.#options = options;
    this.#host = host;
  }

  /** Validators at work. */
  get size(): number {
    return this.#pending.size;
  }

  /** Messages that wait for one. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  get due(): number {
    if (this.#pending.size === 0) return Number.POSITIVE_INFINITY;
    for (const { due } of this.#pending.values()) return due;
    return Number.POSITIVE_INFINITY;
  }

  run(check: Check, now: number): void {
    if (this.waiting === 0 && this.#pending.size < this.#options.atOnce) return this.#begin(check, now);
    const { messages, bytes } = this.#options;
    if (this.waiting >= messages || (this.waiting > 0 && this.#bytes + check.size > bytes)) return check.settled('overloaded');
    this.#waiting.push(check);
    this.#bytes += check.size;
  }

  /** Gives up those that took too long. */
  wake(now: number): void {
    for (const { due, settle } of [...this.#pending.values()]) {
      if (now < due) return;
      settle('timeout');
    }
  }

  /** Nobody waits for them any more. */
  clear(): void {
    this.#pending.clear();
    this.#waiting = [];
    this.#next = this.#bytes = 0;
  }

  #begin(check: Check, now: number): void {
    let verdict: Verdict | Promise<Verdict>;
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

  /** Begins those for which there is a validator now. */
  #drain(): void {
    if (this.waiting === 0 || this.#isDraining) return;
    this.#isDraining = true;
    const now = this.#host.now();
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
    this.#host.dueBy(this.due);
  }
}

function known(verdict: unknown): [Finding, unknown?] {
  if (verdict === 'accept' || verdict === 'reject' || verdict === 'ignore') return [verdict];
  return ['failed', new TypeError(`validate: must give 'accept', 'reject' or 'ignore', got ${String(verdict)}`)];
}

/** Places in front that are given back together: one by one each would cost a move of all behind it. */
const COMPACT = 1_024;

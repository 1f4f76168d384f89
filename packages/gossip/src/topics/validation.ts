// Validators at work: so many at once, each in its time.

import type { Verdict } from '../types.ts';

/** What came of it. */
export type Finding = Verdict | 'timeout' | 'overloaded' | 'failed';

export interface ValidationOptions {
  readonly timeout: number;
  readonly atOnce: number;
}

export class Validation {
  readonly #options: ValidationOptions;
  /** Under way, the oldest first: all have the same time. */
  readonly #pending = new Map<object, { readonly due: number; readonly settle: (finding: Finding, error?: unknown) => void }>();

  constructor(options: ValidationOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  get due(): number {
    if (this.#pending.size === 0) return Number.POSITIVE_INFINITY;
    for (const { due } of this.#pending.values()) return due;
    return Number.POSITIVE_INFINITY;
  }

  /** @param settled is called once, now or later. */
  run(check: () => Verdict | Promise<Verdict>, now: number, settled: (finding: Finding, error?: unknown) => void): void {
    if (this.#pending.size >= this.#options.atOnce) return settled('overloaded');
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = check();
    } catch (error) {
      return settled('failed', error);
    }
    if (typeof verdict === 'string') return settled(...known(verdict));
    const ticket = {};
    const settle = (finding: Finding, error?: unknown) => {
      if (this.#pending.delete(ticket)) settled(finding, error);
    };
    this.#pending.set(ticket, { due: now + this.#options.timeout, settle });
    Promise.resolve(verdict).then(
      (given) => settle(...known(given)),
      (error) => settle('failed', error),
    );
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
  }
}

function known(verdict: unknown): [Finding, unknown?] {
  if (verdict === 'accept' || verdict === 'reject' || verdict === 'ignore') return [verdict];
  return ['failed', new TypeError(`validate: must give 'accept', 'reject' or 'ignore', got ${String(verdict)}`)];
}

// Runs validators: a limited number at a time, each with a timeout. Further messages wait in a
// bounded queue, in which the peers that sent them take turns. Owned by Incoming; TopicSession
// wakes it.

import { SizedQueue } from '../messages/sized-queue.ts';
import type { MessageVerdict } from '../types.ts';
import type { TopicConfig } from './options.ts';
import type { TopicNode } from './topic-context.ts';

/** The outcome of a validation. */
export type Finding = MessageVerdict | 'timeout' | 'overloaded' | 'failed';

/** The limits of the validation. A single message may exceed the limit of bytes. */
type ValidationConfig = Pick<TopicConfig, 'validateTimeout' | 'validateAtOnce' | 'validateQueue'>;

/** A message to validate. */
export interface Check {
  /** The peer that sent it. */
  readonly from: string;
  readonly size: number;
  begin(): MessageVerdict | Promise<MessageVerdict>;
  /**
   * Called once, either synchronously or later, but not after `clear`. It may `run` another check.
   * Must not throw.
   */
  settled(finding: Finding, error?: unknown): void;
}

/** The running validators of one topic, and the messages that wait for one. */
export class Validation {
  /** Number of waiting messages. */
  waiting = 0;
  readonly #config: ValidationConfig;
  readonly #node: Pick<TopicNode, 'clock' | 'dueBy'>;
  /**
   * Running validators, the oldest first. All have the same timeout, so they are sorted by their
   * deadlines.
   */
  readonly #pending = new Map<
    object,
    { readonly due: number; readonly settle: (finding: Finding, error?: unknown) => void }
  >();
  /** The peers that have waiting messages; the first one is served next. */
  readonly #lanes = new Map<string, SizedQueue<Check>>();
  #bytes = 0;
  #isDraining = false;

  constructor(config: ValidationConfig, node: Pick<TopicNode, 'clock' | 'dueBy'>) {
    this.#config = config;
    this.#node = node;
  }

  /** Number of running validators. */
  get size(): number {
    return this.#pending.size;
  }

  get due(): number {
    return this.#pending.values().next().value?.due ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Validates a message, now or when it is the turn of its sender. If too many wait, the sender of
   * most of them loses its newest.
   */
  run(check: Check, now: number): void {
    if (this.waiting === 0 && this.#pending.size < this.#config.validateAtOnce)
      return this.#begin(check, now);
    const { from, size } = check;
    const own = this.#lanes.get(from) ?? new SizedQueue<Check>();
    this.#lanes.set(from, own);
    own.push(check);
    this.waiting++;
    this.#bytes += size;
    const { messages, bytes } = this.#config.validateQueue;
    while (this.waiting > messages) this.#drop(own, 'length');
    while (this.waiting > 1 && this.#bytes > bytes) this.#drop(own, 'bytes');
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
    this.waiting = this.#bytes = 0;
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
    this.#pending.set(ticket, { due: now + this.#config.validateTimeout, settle });
    Promise.resolve(verdict).then(
      (given) => settle(...known(given)),
      (error) => settle('failed', error),
    );
  }

  /** Begins waiting validations while there is room. A nested call does nothing. */
  #drain(): void {
    if (this.waiting === 0 || this.#isDraining) return;
    this.#isDraining = true;
    const now = this.#node.clock.now();
    while (this.waiting > 0 && this.#pending.size < this.#config.validateAtOnce)
      this.#begin(this.#take(), now);
    this.#isDraining = false;
    this.#node.dueBy(this.due);
  }

  /** Removes the oldest message of the peer whose turn it is. */
  #take(): Check {
    const [from, lane] = this.#lanes.entries().next().value!;
    const check = lane.shift()!;
    this.#left(check);
    this.#lanes.delete(from);
    if (lane.length > 0) this.#lanes.set(from, lane);
    return check;
  }

  /** Drops the newest message of the peer that has most, or of `own` if none has more. */
  #drop(own: SizedQueue<Check>, measure: 'length' | 'bytes'): void {
    let most = own;
    for (const lane of this.#lanes.values()) if (lane[measure] > most[measure]) most = lane;
    const check = most.pop()!;
    this.#left(check);
    if (most.length === 0) this.#lanes.delete(check.from);
    check.settled('overloaded');
  }

  #left({ size }: Check): void {
    this.waiting--;
    this.#bytes -= size;
  }
}

function known(verdict: unknown): [Finding, unknown?] {
  if (verdict === 'accept' || verdict === 'reject' || verdict === 'ignore') return [verdict];
  // An object may have no text.
  const got = Object(verdict) === verdict ? typeof verdict : String(verdict);
  const text = `validate: must return 'accept', 'reject' or 'ignore', got ${got}`;
  return ['failed', new TypeError(text)];
}

// One worker from the primary's point of view: it starts, joins, leaves and ends.

import { type Clock, type ClockTimer, TransportError } from '@trunkline/transport-core';
import { cleanText, inMs } from '@trunkline/transport-core/backend';
import { HangWatch } from './hang-watch.ts';
import { type FromWorker, type Question, TAG } from './messages.ts';
import type { Exit, Spawn, WorkerHandle } from './worker-handle.ts';

/** Receives the events of a worker. */
export interface WorkerObserver {
  joined(worker: ManagedWorker, addresses: readonly string[]): void;
  /** The worker has not answered for `silent` milliseconds, and is ended. */
  hung(worker: ManagedWorker, silent: number): void;
  /** The worker leaves by itself, but cleanly. */
  leaving(worker: ManagedWorker): void;
  /**
   * Called once, after `start` and all answers have settled, and before `end`. The worker's `state`
   * is still that before its end; Supervisor relies on it.
   */
  exited(worker: ManagedWorker, exit: Exit): void;
}

/** The options of a worker. */
export interface ManagedWorkerOptions {
  readonly slot: number;
  /** The number of workers that had the slot before. */
  readonly restarts: number;
  /** The number of those that hung. */
  readonly hangs: number;
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly startTimeout: number;
  /** Undefined to wait for ever for a worker that hangs. */
  readonly hangTimeout: number | undefined;
  readonly observer: WorkerObserver;
}

type Phase =
  | { readonly name: 'starting'; readonly timer: ClockTimer }
  | { readonly name: 'ready'; readonly watch: HangWatch | undefined }
  | { readonly name: 'hung' }
  | { readonly name: 'leaving'; readonly timer: ClockTimer; readonly until: number }
  | { readonly name: 'exited'; readonly error: TransportError };

/** A worker. */
export class ManagedWorker {
  readonly slot: number;
  readonly restarts: number;
  readonly hangs: number;
  readonly handle: WorkerHandle;
  /** The time at which the worker was started. */
  readonly started: number;
  /** Resolves to undefined when the worker has joined, or to an error if it never will. */
  readonly start: Promise<TransportError | undefined>;
  /** Resolves when the worker has ended. */
  readonly end: Promise<void>;
  readonly #clock: Clock;
  readonly #observer: WorkerObserver;
  readonly #hangTimeout: number | undefined;
  readonly #asked = new Map<Question, Answer>();
  #phase: Phase;
  #joinedAt: number | undefined = undefined;
  #settleStart!: (error: TransportError | undefined) => void;
  #settleEnd!: () => void;

  constructor(options: ManagedWorkerOptions) {
    const { slot, spawn, clock, startTimeout, observer } = options;
    this.slot = slot;
    this.restarts = options.restarts;
    this.hangs = options.hangs;
    this.#hangTimeout = options.hangTimeout;
    this.#clock = clock;
    this.#observer = observer;
    this.started = clock.now();
    this.start = new Promise((resolve) => (this.#settleStart = resolve));
    this.end = new Promise((resolve) => (this.#settleEnd = resolve));
    this.#phase = {
      name: 'starting',
      timer: clock.setTimeout(() => this.#startedTooLate(startTimeout), startTimeout),
    };
    try {
      this.handle = spawn(slot, {
        message: (message) => this.#hear(message),
        exited: (exit) => this.#exited(exit),
      });
    } catch (error) {
      this.handle = NOT_STARTED;
      void Promise.resolve().then(() => this.#exited({ code: null, signal: null, error }));
    }
  }

  get state(): Phase['name'] {
    return this.#phase.name;
  }

  /** The number of milliseconds since the worker joined; 0 if it has not joined. */
  get served(): number {
    return this.#joinedAt === undefined ? 0 : this.#clock.now() - this.#joinedAt;
  }

  /** The reason why the worker no longer serves. */
  get loss(): TransportError {
    if (this.#phase.name === 'exited') return this.#phase.error;
    return new TransportError('unavailable', `${this.name} leaves`);
  }

  /**
   * Makes the worker leave cleanly. The worker is killed if it has not ended 5 s after `grace`,
   * also if it leaves by itself already. A worker that has not joined yet is killed immediately.
   * @param refuse false if the worker's address leads to other workers, too.
   */
  leave(grace: number, refuse: boolean): void {
    const { name } = this.#phase;
    if (name === 'starting') this.handle.kill();
    if (name === 'starting' || name === 'ready')
      this.handle.send({ ...TAG, type: 'leave', grace, refuse });
    if (name !== 'hung' && name !== 'exited') this.#isLeaving(grace);
  }

  /**
   * Asks the worker a question, which it must answer within `timeout` milliseconds. While a
   * question is open, identical questions share its answer, so questions to a worker that hangs do
   * not pile up. Rejects with `deadline_exceeded`, with `internal` if the worker answers with an
   * error, or with `unavailable` if it ends. The answer is not checked.
   */
  async ask(what: Question, timeout: number): Promise<unknown> {
    if (this.#phase.name === 'exited') throw this.#phase.error;
    let answer = this.#asked.get(what);
    if (answer === undefined) {
      answer = new Answer();
      this.#asked.set(what, answer);
      this.handle.send({ ...TAG, type: 'ask', what });
    }
    const enough = new AbortController();
    const late = this.#clock.sleep(timeout, enough.signal).then(() => {
      throw new TransportError(
        'deadline_exceeded',
        `${this.name} did not answer within ${inMs(timeout)}: its event loop is busy or blocked`,
      );
    });
    try {
      return await Promise.race([answer.given, late]);
    } finally {
      late.catch(() => {});
      enough.abort();
    }
  }

  /** The name of the worker in error messages. */
  get name(): string {
    const { pid, threadId } = this.handle;
    return threadId === undefined
      ? `worker ${this.slot} (process ${pid})`
      : `worker ${this.slot} (thread ${threadId})`;
  }

  /**
   * Takes a message. A worker may have been taken over, so the type of each field is checked, and
   * values of other types are ignored: converting one could throw, and end the primary.
   */
  #hear(message: FromWorker): void {
    if (message.type === 'joined') this.#joined(message.addresses);
    if (message.type === 'pong' && this.#phase.name === 'ready') this.#phase.watch?.answered();
    if (message.type === 'leaving' && this.#phase.name === 'ready') {
      this.#isLeaving(Number.isFinite(message.grace) ? message.grace : 0);
      this.#observer.leaving(this);
    }
    if (message.type === 'answer') {
      const { what, value, error } = message;
      const answer = this.#asked.get(what);
      this.#asked.delete(what);
      const text = typeof error === 'string' ? cleanText(error) : 'unknown error';
      if (error === undefined) answer?.give(value);
      else answer?.refuse(new TransportError('internal', `${this.name}: ${text}`));
    }
  }

  #joined(addresses: readonly string[]): void {
    if (this.#phase.name !== 'starting') return;
    this.#clock.clearTimeout(this.#phase.timer);
    this.#phase = { name: 'ready', watch: this.#watch() };
    this.#joinedAt = this.#clock.now();
    const list = Array.isArray(addresses) ? addresses : [];
    this.#observer.joined(
      this,
      list.filter((address) => typeof address === 'string').map(cleanText),
    );
    this.#settleStart(undefined);
  }

  #watch(): HangWatch | undefined {
    const timeout = this.#hangTimeout;
    return timeout === undefined
      ? undefined
      : new HangWatch({
          clock: this.#clock,
          timeout,
          ask: () => this.handle.send({ ...TAG, type: 'ping' }),
          hung: (silent) => {
            this.#phase = { name: 'hung' };
            this.#observer.hung(this, silent);
            this.handle.kill();
          },
        });
  }

  #startedTooLate(timeout: number): void {
    this.#settleStart(
      new TransportError(
        'deadline_exceeded',
        `${this.name} has not joined within ${inMs(timeout)} (startTimeout): its module must call joinCluster(transport) after transport.listen()`,
      ),
    );
    this.handle.kill();
  }

  /** Kills the worker 5 s after `grace`, or at an earlier time that was set before. */
  #isLeaving(grace: number): void {
    this.#endPhase();
    const now = this.#clock.now();
    const before = this.#phase.name === 'leaving' ? this.#phase.until : Number.POSITIVE_INFINITY;
    const until = Math.min(before, now + grace + END_TIME);
    const timer = this.#clock.setTimeout(() => this.handle.kill(), until - now);
    this.#phase = { name: 'leaving', timer, until };
  }

  #endPhase(): void {
    const phase = this.#phase;
    if ('timer' in phase) this.#clock.clearTimeout(phase.timer);
    if (phase.name === 'ready') phase.watch?.stop();
  }

  #exited(exit: Exit): void {
    this.#endPhase();
    const how = exit.code === null ? (exit.signal ?? 'not started') : `exit code ${exit.code}`;
    this.#settleStart(
      new TransportError(
        'failed_precondition',
        `${this.name} ended before it has joined (${how}): its error output says why; its module must listen and call joinCluster(transport)`,
        { cause: exit.error },
      ),
    );
    const error = new TransportError(
      'unavailable',
      this.#phase.name === 'hung'
        ? `${this.name} was ended, because its event loop did not answer for ${inMs(this.#hangTimeout!)} (hangTimeout)`
        : `${this.name} has ended (${how})`,
      { cause: exit.error },
    );
    for (const answer of this.#asked.values()) answer.refuse(error);
    this.#asked.clear();
    this.#observer.exited(this, exit);
    this.#phase = { name: 'exited', error };
    this.#settleEnd();
  }
}

/** The answer to a question, for which several callers may wait. */
class Answer {
  readonly given: Promise<unknown>;
  give!: (value: unknown) => void;
  refuse!: (error: TransportError) => void;

  constructor() {
    this.given = new Promise((resolve, reject) => {
      this.give = resolve;
      this.refuse = reject;
    });
    this.given.catch(() => {});
  }
}

/** The handle of a worker that the system could not start, for example for lack of memory. */
const NOT_STARTED: WorkerHandle = { pid: 0, threadId: undefined, send: () => {}, kill: () => {} };
/** The time limit, in milliseconds, for a worker to close everything after its grace period. */
const END_TIME = 5_000;

// The event loop of a simulation, in virtual time. It owns the clock, the event queue, the trace
// and the first failure; nodes and the network schedule events on it. It calls their callbacks and,
// after each event, the rules.

import { type RuntimeOverride, replaceSystem } from '@trunkline/transport-core/internal';
import type { SimulationLeak } from '../nodes/leaks.ts';
import { childRandom } from './distributions.ts';
import { type EventKind, type EventOwner, EventQueue, type SimEvent } from './event-queue.ts';
import { type LoopWait, runLoop } from './microtask-turns.ts';
import {
  emptyMicrotaskQueue,
  forbidNondeterminism,
  macrotask,
  type NondeterminismGuard,
  realTurn,
  type SuspendableGuard,
} from './nondeterminism-guard.ts';
import { SimulationError } from './simulation-error.ts';
import { pair, summaryOf, Trace, TraceKind } from './trace.ts';
import { type UncaughtWatch, watchUncaught } from './uncaught.ts';
import { type UnhandledRejection, UnhandledRejections } from './unhandled-rejections.ts';

/** Options of a {@link EventLoop}. */
export interface EventLoopOptions {
  readonly seed: number;
  /**
   * If true, the loop waits for a turn of the real event loop after each event, instead of a few
   * turns of the microtask queue.
   */
  readonly strict: boolean;
  /** Maximum number of events at one instant. */
  readonly stepLimit: number;
}

/**
 * Runs the next event, then everything that follows from it within the same instant, and then
 * advances. Idle time is skipped.
 */
export class EventLoop {
  readonly seed: number;
  readonly trace = new Trace(this);
  readonly queue = new EventQueue();
  /** Virtual milliseconds since the simulation began. */
  now = 0;
  /** Checks called after every event; a check throws a SimulationError if its rule broke. */
  readonly rules = new Set<() => void>();
  /** Called once when the simulation closes, after all nodes have stopped; each returns leaks. */
  readonly endings: (() => readonly SimulationLeak[])[] = [];
  /** Number of events that have happened. */
  steps = 0;
  /**
   * True if code uses ticks of Node itself, as Node's streams do. In that case, every event waits
   * until they have run.
   */
  usesTicks = false;
  readonly #strict: boolean;
  readonly #stepLimit: number;
  /** The deferred callbacks, as a linked list; arrays that come and go would cost more. */
  #firstDeferred: Deferred | undefined;
  #lastDeferred: Deferred | undefined;
  #touched = false;
  /** The name of the owner that touched the loop last. */
  #toucher = 'the simulation';
  #failure: SimulationError | undefined;
  /** The first error with which a drive has rejected. */
  failure: unknown;
  /** True if failures are ignored because the nodes of a failed simulation are being stopped. */
  #forgiving = false;
  /**
   * The owner of the event or deferred callback that ran last. Promises rejected now are attributed
   * to it.
   */
  #acting: EventOwner | undefined;
  readonly #rejections = new UnhandledRejections();
  #watch: UncaughtWatch | undefined;
  /**
   * Answers requests to the system from code of nodes and clients, on behalf of the owner that is
   * running.
   */
  readonly #system: RuntimeOverride = {
    random: () => (this.#acting?.system ?? this.#outside).random(),
    wall: () => (this.#acting?.system ?? this.#outside).wall(),
    refuse: (method) => {
      throw this.#forbidden(`systemClock.${method}()`, 'use the clock of the node');
    },
  };
  /** Answers requests to the system from code outside all nodes and clients. */
  readonly #outside: NonNullable<EventOwner['system']>;
  #guard: NondeterminismGuard | undefined;
  #running = false;
  /** Number of events since time last advanced. */
  #still = 0;

  constructor({ seed, strict, stepLimit }: EventLoopOptions) {
    this.seed = seed;
    this.#strict = strict;
    this.#stepLimit = stepLimit;
    this.#outside = { random: childRandom(seed, 'system'), wall: () => EPOCH + this.now };
  }

  /** Schedules `run` for `delay` milliseconds from now. */
  schedule(
    delay: number,
    kind: EventKind,
    owner: EventOwner | undefined,
    run: () => void,
  ): SimEvent {
    this.#touch(owner);
    return this.queue.add(this.now + delay, kind, owner, run, undefined);
  }

  /** Schedules `run` for a virtual time that is not in the past; `argument` is its argument. */
  scheduleAt<T>(
    at: number,
    kind: EventKind,
    owner: EventOwner | undefined,
    run: (argument: T) => void,
    argument: T,
  ): SimEvent {
    this.#touch(owner);
    return this.queue.add(at, kind, owner, run, argument);
  }

  cancel(event: SimEvent): void {
    this.#touched = true;
    this.queue.cancel(event);
  }

  /** Runs `callback` at this instant, after the current code has finished. */
  defer(owner: EventOwner | undefined, callback: () => void): void {
    this.#touch(owner);
    const deferred: Deferred = { owner, callback, next: undefined };
    if (this.#lastDeferred === undefined) this.#firstDeferred = deferred;
    else this.#lastDeferred.next = deferred;
    this.#lastDeferred = deferred;
  }

  #touch(owner: EventOwner | undefined): void {
    this.#touched = true;
    if (owner !== undefined) this.#toucher = owner.name;
  }

  /** Notes that something happened which code may react to, so the instant is not over yet. */
  touch(): void {
    this.#touched = true;
  }

  /** Makes the run fail as soon as possible. The first failure counts. */
  fail(invariant: string, what: string, cause?: unknown): void {
    if (this.#forgiving) return;
    this.#failure ??= this.error(invariant, what, cause);
    this.#touched = true;
  }

  /** Creates the error for a broken rule. */
  error(invariant: string, what: string, cause?: unknown): SimulationError {
    return new SimulationError(what, {
      seed: this.seed,
      at: this.now,
      invariant,
      trace: summaryOf(this.trace),
      cause,
    });
  }

  /** Ignores all errors of nodes from now on. */
  forgive(): void {
    this.#forgiving = true;
    this.#failure = undefined;
  }

  /**
   * Ends the loop; no drive may follow. Returns the error of a rejection that still has no handler.
   * Up to this call, the test can handle its own promises.
   */
  async end(): Promise<SimulationError | undefined> {
    if (this.#watch?.isExact === false) for (let turn = 0; turn < 2; turn++) await realTurn();
    this.#watch?.forget();
    const left = this.#rejections.clear();
    return left && this.#unhandledError(left);
  }

  /**
   * Runs until `done` returns true, until the virtual time `end`, or until no event is left. In the
   * last case, time advances to `end` only if `patient` is true. Meanwhile, real time, randomness
   * and sockets are forbidden. Rejects with the error of a broken rule, or with a TypeError if this
   * or another simulation of the thread is running.
   */
  async drive(done: () => boolean, end: number, patient: boolean): Promise<Outcome> {
    if (this.#running)
      throw new TypeError(
        'this simulation is already running: await run, until or settle before the next call',
      );
    const guard = forbidNondeterminism((...use) => this.#forbidden(...use));
    this.#running = true;
    this.#guard = guard;
    this.#watch ??= this.#watchUncaught();
    const watch = this.#watch;
    watch.impose();
    replaceSystem(this.#system);
    const around = {
      suspend: () => {
        watch.lift();
        replaceSystem(undefined);
        guard.suspend();
      },
      resume: () => {
        guard.resume();
        replaceSystem(this.#system);
        watch.impose();
      },
    };
    try {
      return await runLoop(this.#instants({ done, end, patient }, watch, around));
    } catch (error) {
      this.#failure = undefined;
      this.failure ??= error;
      this.trace.recorder?.stop();
      throw error;
    } finally {
      this.#running = false;
      watch.lift();
      replaceSystem(undefined);
      if (watch.isExact && this.#rejections.size === 0) watch.forget();
      guard.end();
      this.trace.onTurn?.('the scenario');
    }
  }

  /** Runs one instant after the other until `goal` is reached. */
  *#instants(
    { done, end, patient }: Goal,
    watch: UncaughtWatch,
    around: SuspendableGuard,
  ): Generator<LoopWait, Outcome, void> {
    for (;;) {
      // Finishes this instant. No event reports that the microtask queue is empty, so this runs a
      // few turns of the queue, and more as long as code touches the loop.
      for (let rounds = 0; ; rounds++) {
        this.#runDeferred();
        this.#touched = false;
        yield this.#strict ? macrotask(around) : TURNS;
        if (!this.#touched) {
          watch.flush();
          // A chain of awaits may take more turns than that, and may handle the rejection at its
          // end.
          if (this.#rejections.hasSuspects) {
            yield emptyMicrotaskQueue(around);
            watch.flush();
          }
          if (this.#rejections.hasSuspects) this.#accuse();
          if (!this.#touched) break;
        }
        if (rounds > this.#stepLimit) {
          throw this.error(
            'step limit',
            `code ran for ${rounds} rounds at one instant, the last of them in ${this.#toucher}: look for a loop that never waits`,
          );
        }
      }
      for (const rule of this.rules) rule();
      if (this.#failure !== undefined) throw this.#failure;
      if (done()) return 'done';
      const soonest = this.queue.soonest();
      if (soonest - this.now >= LEAP || this.queue.hasTimerAt(this.now) || this.usesTicks) {
        // A chain of awaits may take more turns than that. It must finish before time leaps,
        // because otherwise a timeout would come before an answer. It must also finish before a
        // timer of 0 ms, as in reality.
        if (soonest > this.now) yield macrotask(around);
        else {
          yield emptyMicrotaskQueue(around);
          watch.flush();
        }
        if (
          this.#touched ||
          this.#firstDeferred !== undefined ||
          this.#rejections.hasSuspects ||
          this.queue.soonest() < soonest
        )
          continue;
      }
      if (!this.step(end)) break;
    }
    const nothing = this.queue.size === 0;
    if (end === Number.POSITIVE_INFINITY || (nothing && !patient)) return 'nothing left';
    if (end > this.now) this.#advance(end);
    for (const rule of this.rules) rule();
    return nothing ? 'nothing left' : 'end';
  }

  /**
   * Runs the next event due by `end`, and the callbacks deferred during it. Returns false if there
   * is none.
   */
  step(end: number): boolean {
    const event = this.queue.next(end);
    if (event === undefined) return false;
    this.#happen(event);
    this.#runDeferred();
    return true;
  }

  #advance(to: number): void {
    this.trace.onAdvance?.(to);
    this.now = to;
  }

  #happen(event: SimEvent): void {
    const { owner, kind, run } = event;
    if (event.at > this.now) {
      this.#advance(event.at);
      this.#still = 0;
    } else if (++this.#still > this.#stepLimit) {
      const name = owner?.name ?? 'the network';
      throw this.error(
        'step limit',
        `${this.#still} events happened at one instant, the last a ${kind} of ${name}: look for a loop without delay`,
      );
    }
    this.steps++;
    this.trace.onTurn?.(owner?.name ?? 'the network');
    event.run = undefined;
    this.#acting = owner;
    if (owner !== undefined && owner.cost > 0) owner.busyUntil = this.now + owner.cost;
    if (kind === 'timer') this.trace.record(TraceKind.timer, pair(owner?.number ?? 0, 0));
    this.#attempt(run!, event.argument, owner);
  }

  #runDeferred(): void {
    let run = 0;
    for (; this.#firstDeferred !== undefined; this.#firstDeferred = this.#firstDeferred.next) {
      const { owner, callback } = this.#firstDeferred;
      if (run++ > this.#stepLimit) {
        this.#firstDeferred = this.#lastDeferred = undefined;
        throw this.error(
          'step limit',
          `${run - 1} callbacks were deferred at one instant, the last of ${nameOf(owner)}: look for a loop that never waits`,
        );
      }
      this.#acting = owner;
      if (owner?.alive === false) continue;
      this.trace.onTurn?.(nameOf(owner));
      this.#attempt(callback, undefined, owner);
    }
    this.#lastDeferred = undefined;
  }

  #attempt(
    run: (argument: any) => unknown,
    argument: unknown,
    owner: EventOwner | undefined,
  ): void {
    try {
      const result = run(argument);
      // If the promise of an async callback is ever rejected, the owner is responsible.
      if (typeof result === 'object' && result !== null && owner !== undefined)
        this.#rejections.attribute(result, owner);
    } catch (error) {
      this.#threw(owner, error);
    }
  }

  #threw(owner: EventOwner | undefined, error: unknown): void {
    if (!(error instanceof SimulationError))
      this.fail(UNCAUGHT, `${nameOf(owner)} threw ${describeError(error)}`, error);
    else if (!this.#forgiving) this.#failure ??= error;
  }

  #watchUncaught(): UncaughtWatch {
    return watchUncaught({
      rejected: (error, promise) => {
        const owner = this.#rejections.ownerOf(promise, this.#acting);
        // A node that has crashed can no longer fail.
        if (owner?.alive === false || this.#forgiving) return;
        this.#rejections.add(promise, { owner, error });
      },
      handled: (promise) => this.#rejections.handled(promise),
      threw: (error) => this.#threw(this.#acting, error),
      handedOver: () => this.#guard?.allowNodeOnce(),
    });
  }

  /** Fails the run for the first rejection of a node that has no handler. */
  #accuse(): void {
    for (const rejection of this.#rejections.takeOfNodes())
      if (!this.#forgiving) this.#failure ??= this.#unhandledError(rejection);
  }

  #unhandledError({ owner, error }: UnhandledRejection): SimulationError {
    if (error instanceof SimulationError) return error;
    return this.error(
      UNCAUGHT,
      `${nameOf(owner)} left a rejection unhandled: ${describeError(error)}`,
      error,
    );
  }

  #forbidden(name: string, remedy: string, rule = 'no real time, chance or sockets'): Error {
    const error = new Error(`${name} inside a simulation: ${remedy}`);
    this.fail(rule, error.message, error);
    return error;
  }
}

/** A callback that runs at this instant, once the current code has finished. */
interface Deferred {
  readonly owner: EventOwner | undefined;
  readonly callback: () => void;
  next: Deferred | undefined;
}

/** The reason for which a drive has ended. */
type Outcome = 'done' | 'end' | 'nothing left';

/** The goal of a drive; see `drive`. */
interface Goal {
  readonly done: () => boolean;
  readonly end: number;
  readonly patient: boolean;
}

/** Describes an error in one line. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function nameOf(owner: EventOwner | undefined): string {
  return owner?.name ?? 'the simulation';
}

/** The wall clock at the start of a simulation: 2020-01-01T00:00:00Z. */
export const EPOCH = 1_577_836_800_000;
/** The rule that an uncaught error of a node breaks. */
const UNCAUGHT = 'no uncaught error';
/** A leap of virtual time, in milliseconds, before which every chain of awaits must finish. */
const LEAP = 1_000;
/**
 * Number of turns of the microtask queue after an event. The same number follows each time that
 * code has touched the loop. A longer chain of bare awaits continues later.
 */
const TURNS = 8;

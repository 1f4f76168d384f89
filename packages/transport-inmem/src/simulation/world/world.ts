// Virtual time: the event that is due next runs, then all that follows from it within its instant, then the next. Idle time is skipped.

import { replaceSystem, type SystemStandIn } from '@trunkline/transport-core';
import { childRandom } from './chance.ts';
import { type EventKind, EventQueue, type Owner, type SimEvent } from './event-queue.ts';
import { banReality, macrotask, type RealityBan, realTurn } from './reality.ts';
import { SimulationError } from './simulation-error.ts';
import { Happening, summaryOf, Trace } from './trace.ts';
import { type UncaughtWatch, watchUncaught } from './uncaught.ts';

export interface WorldOptions {
  readonly seed: number;
  /** A turn of the event loop after each event, instead of some turns of the microtask queue. */
  readonly strict: boolean;
  /** Events that may happen at one instant. */
  readonly stepLimit: number;
}

/** A promise that was rejected. */
interface Unhandled {
  readonly owner: Owner | undefined;
  readonly error: unknown;
}

export class World {
  readonly seed: number;
  readonly trace = new Trace();
  readonly queue = new EventQueue();
  /** Virtual milliseconds since the beginning. */
  now = 0;
  /** Looked at after every event: throws a SimulationError where a rule broke. */
  readonly rules = new Set<() => void>();
  /** Events that have happened. */
  steps = 0;
  readonly #strict: boolean;
  readonly #stepLimit: number;
  readonly #deferred: { readonly owner: Owner | undefined; readonly callback: () => void }[] = [];
  #touched = false;
  /** Who touched the world last. */
  #toucher = 'the simulation';
  #failure: SimulationError | undefined;
  /** What a drive has rejected with first. */
  failure: unknown;
  /** Nothing fails any more: the nodes of a simulation that failed are stopped. */
  #forgiving = false;
  /** Whose event or deferred callback ran last: promises that are rejected now are its own. */
  #acting: Owner | undefined;
  /** Whose an async callback's promise is. */
  readonly #promised = new WeakMap<object, Owner>();
  /** Promises that were rejected and that nothing handles so far, and whose they are. */
  readonly #unhandled = new Map<object, Unhandled>();
  /** Of these, those of nodes. */
  #suspects = 0;
  #watch: UncaughtWatch | undefined;
  /** Answers for the machine of whoever acts. */
  readonly #system: SystemStandIn = {
    random: () => (this.#acting?.system ?? this.#outside).random(),
    wall: () => (this.#acting?.system ?? this.#outside).wall(),
  };
  /** The same for code outside every node and client. */
  readonly #outside: SystemStandIn;
  #ban: RealityBan | undefined;
  #running = false;
  /** Events since time last moved. */
  #still = 0;

  constructor({ seed, strict, stepLimit }: WorldOptions) {
    this.seed = seed;
    this.#strict = strict;
    this.#stepLimit = stepLimit;
    this.#outside = { random: childRandom(seed, 'system'), wall: () => EPOCH + this.now };
  }

  /** `run` happens `delay` milliseconds from now. */
  schedule(delay: number, kind: EventKind, owner: Owner | undefined, run: () => void): SimEvent {
    this.#touch(owner);
    return this.queue.add(this.now + delay, kind, owner, run, undefined);
  }

  /** `run` happens at a virtual time that is not past, and is given `cargo`. */
  scheduleAt<T>(at: number, kind: EventKind, owner: Owner | undefined, run: (cargo: T) => void, cargo: T): SimEvent {
    this.#touch(owner);
    return this.queue.add(at, kind, owner, run, cargo);
  }

  cancel(event: SimEvent): void {
    this.#touched = true;
    this.queue.cancel(event);
  }

  /** `callback` runs when the code that runs now is through, at this instant. */
  defer(owner: Owner | undefined, callback: () => void): void {
    this.#touch(owner);
    this.#deferred.push({ owner, callback });
  }

  #touch(owner: Owner | undefined): void {
    this.#touched = true;
    if (owner !== undefined) this.#toucher = owner.name;
  }

  /** Something happened that others may go on from: the instant is not over. */
  touch(): void {
    this.#touched = true;
  }

  /** The run ends with this, as soon as may be; the first failure counts. */
  fail(invariant: string, what: string, cause?: unknown): void {
    if (!this.#forgiving) this.#failure ??= this.error(invariant, what, cause);
  }

  error(invariant: string, what: string, cause?: unknown): SimulationError {
    return new SimulationError(what, { seed: this.seed, at: this.now, invariant, trace: summaryOf(this.trace), cause });
  }

  /** From now on no error of a node fails a drive. */
  forgive(): void {
    this.#forgiving = true;
    this.#failure = undefined;
  }

  /** No drive follows. Gives the error of a rejection that nothing has handled: what the test holds itself has time until now. */
  async end(): Promise<SimulationError | undefined> {
    if (this.#watch?.isExact === false) for (let turn = 0; turn < 2; turn++) await realTurn();
    this.#watch?.forget();
    const [left] = this.#unhandled.values();
    this.#unhandled.clear();
    return left && this.#unhandledError(left);
  }

  /**
   * Runs until `done` says so, or until `end`, or until nothing is left to happen, when time goes on to `end` only where that is
   * `patient`. Meanwhile real time, chance and sockets are out of reach.
   */
  async drive(done: () => boolean, end: number, patient: boolean): Promise<'done' | 'end' | 'nothing left'> {
    if (this.#running) throw new TypeError('this simulation runs already: await run, until or settle before the next');
    const ban = banReality((name, remedy) => this.#forbidden(name, remedy));
    this.#running = true;
    this.#ban = ban;
    this.#watch ??= this.#watchUncaught();
    const watch = this.#watch;
    watch.impose();
    replaceSystem(this.#system);
    const around = {
      lift: () => {
        watch.lift();
        replaceSystem(undefined);
        ban.lift();
      },
      impose: () => {
        ban.impose();
        replaceSystem(this.#system);
        watch.impose();
      },
    };
    try {
      for (;;) {
        // The rest of this instant. Nothing tells when the microtask queue is empty: some turns of it, again while it touches the world.
        for (let rounds = 0; ; rounds++) {
          this.#touched = false;
          if (this.#deferred.length > 0) this.#runDeferred();
          if (this.#strict) await macrotask(around);
          else for (let turn = 0; turn < TURNS; turn++) await undefined;
          if (!this.#touched) {
            watch.flush();
            // A chain of awaits may be longer than the turns above, and handle it at its end.
            if (this.#suspects > 0) await macrotask(around);
            if (this.#suspects > 0) this.#accuse();
            if (!this.#touched) break;
          }
          if (rounds > this.#stepLimit) {
            throw this.error('step limit', `code went on for ${rounds} rounds at one instant, the last of ${this.#toucher}: a loop that never waits?`);
          }
        }
        for (const rule of this.rules) rule();
        if (this.#failure !== undefined) throw this.#failure;
        if (done()) return 'done';
        const soonest = this.queue.soonest();
        if (soonest - this.now >= LEAP) {
          // A chain of awaits may be longer than the turns above: it is through before time leaps, or a time-out would come before an answer.
          await macrotask(around);
          if (this.#touched || this.#deferred.length > 0 || this.#suspects > 0 || this.queue.soonest() < soonest) continue;
        }
        if (!this.step(end)) break;
      }
      const nothing = this.queue.size === 0;
      if (end === Number.POSITIVE_INFINITY || (nothing && !patient)) return 'nothing left';
      this.now = Math.max(this.now, end);
      for (const rule of this.rules) rule();
      return nothing ? 'nothing left' : 'end';
    } catch (error) {
      this.#failure = undefined;
      this.failure ??= error;
      throw error;
    } finally {
      this.#running = false;
      watch.lift();
      replaceSystem(undefined);
      if (watch.isExact && this.#unhandled.size === 0) watch.forget();
      ban.end();
    }
  }

  /** The next event, where there is one by `end`, and what was put off to its end. */
  step(end: number): boolean {
    const event = this.queue.next(end);
    if (event === undefined) return false;
    this.#happen(event);
    if (this.#deferred.length > 0) this.#runDeferred();
    return true;
  }

  #happen(event: SimEvent): void {
    const { owner, kind, run } = event;
    if (event.at > this.now) {
      this.now = event.at;
      this.#still = 0;
    } else if (++this.#still > this.#stepLimit) {
      const name = owner?.name ?? 'the network';
      throw this.error('step limit', `${this.#still} events happened at one instant, the last a ${kind} of ${name}: a loop without delay?`);
    }
    this.steps++;
    event.run = undefined;
    this.#acting = owner;
    if (owner !== undefined && owner.cost > 0) owner.busyUntil = this.now + owner.cost;
    if (kind === 'timer') this.trace.record(this.now, Happening.timer, owner?.number ?? 0, 0, 0, 0, 0);
    this.#attempt(run!, event.cargo, owner);
  }

  #runDeferred(): void {
    for (let i = 0; i < this.#deferred.length; i++) {
      const { owner, callback } = this.#deferred[i]!;
      if (i > this.#stepLimit) {
        this.#deferred.length = 0;
        throw this.error('step limit', `${i} callbacks were deferred at one instant, the last of ${owner?.name ?? 'the simulation'}: a loop that never waits?`);
      }
      this.#acting = owner;
      if (owner?.alive !== false) this.#attempt(callback, undefined, owner);
    }
    this.#deferred.length = 0;
  }

  #attempt(run: (cargo: any) => unknown, cargo: unknown, owner: Owner | undefined): void {
    try {
      const result = run(cargo);
      // The promise of an async callback, whenever it is rejected, is its owner's.
      if (typeof result === 'object' && result !== null && owner !== undefined) this.#promised.set(result, owner);
    } catch (error) {
      this.#threw(owner, error);
    }
  }

  #threw(owner: Owner | undefined, error: unknown): void {
    if (!(error instanceof SimulationError)) this.fail(UNCAUGHT, `${nameOf(owner)} threw ${describeError(error)}`, error);
    else if (!this.#forgiving) this.#failure ??= error;
  }

  #watchUncaught(): UncaughtWatch {
    return watchUncaught({
      rejected: (error, promise) => {
        const owner = this.#promised.get(promise) ?? this.#acting;
        // A node that has crashed can't fail any more.
        if (owner?.alive === false || this.#forgiving) return;
        this.#unhandled.set(promise, { owner, error });
        if (isNode(owner)) this.#suspects++;
      },
      handled: (promise) => {
        const known = this.#unhandled.get(promise);
        if (known === undefined) return;
        this.#unhandled.delete(promise);
        if (isNode(known.owner)) this.#suspects--;
      },
      threw: (error) => this.#threw(this.#acting, error),
      handedOver: () => this.#ban?.spareNode(),
    });
  }

  /** Fails the run for the first rejection of a node that nothing handles. */
  #accuse(): void {
    this.#suspects = 0;
    for (const [promise, left] of this.#unhandled) {
      if (!isNode(left.owner)) continue;
      this.#unhandled.delete(promise);
      if (!this.#forgiving) this.#failure ??= this.#unhandledError(left);
    }
  }

  #unhandledError({ owner, error }: Unhandled): SimulationError {
    if (error instanceof SimulationError) return error;
    return this.error(UNCAUGHT, `${nameOf(owner)} left a rejection unhandled: ${describeError(error)}`, error);
  }

  #forbidden(name: string, remedy: string): Error {
    const error = new Error(`${name} inside a simulation: ${remedy}`);
    this.fail('no real time, chance or sockets', error.message, error);
    return error;
  }
}

export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function nameOf(owner: Owner | undefined): string {
  return owner?.name ?? 'the simulation';
}

/** Clients belong to the test, which may handle their promises later. */
function isNode(owner: Owner | undefined): boolean {
  return owner !== undefined && !owner.isClient;
}

/** The time of day when a simulation begins: 2020-01-01T00:00:00Z. */
export const EPOCH = 1_577_836_800_000;
/** The rule that an error breaks which no code of a node catches. */
const UNCAUGHT = 'no uncaught error';
/** Milliseconds at once that time leaps over only when every chain of awaits is through. */
const LEAP = 1_000;
/** Turns of the microtask queue after an event, and again while the world was touched. A chain of more bare awaits goes on later. */
const TURNS = 8;

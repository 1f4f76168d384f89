// The waits of one case, each with a name. A case in which nothing happens anymore fails, and its
// error lists the events that it waits for.

import { type Clock, systemClock } from '@trunkline/transport-core';
import type { TestContext } from '../test-runner.ts';

/** An object on which a case waits in addition to its own waits: a raw peer, a transport. */
export interface WaitSource {
  /** Describes the events for which callers now wait here. */
  waits?(): readonly string[];
  /** Returns the number of bytes that were received and sent here; it never decreases. */
  bytes?(): number;
}

export class CaseWaits {
  /** The real time, in milliseconds, without an event after which the case fails. */
  readonly stallTimeout: number;
  readonly #clock: Clock;
  readonly #open = new Set<{ readonly what: string }>();
  readonly #sources: WaitSource[] = [];
  /** Incremented whenever a wait begins or ends, and by `note`. */
  #changes = 0;
  /** The wait that ended last. */
  #last: string | undefined = undefined;
  #stalled: Error | undefined = undefined;

  /** @param clock measures the time without an event; default: the system's. */
  constructor(stallTimeout: number = STALL, clock: Clock = systemClock) {
    this.stallTimeout = stallTimeout;
    this.#clock = clock;
  }

  /** Adds an object that reports the events for which callers wait on it. */
  add(source: WaitSource): void {
    this.#sources.push(source);
  }

  /** Begins a wait for `what`; the returned function ends it. */
  begin(what: string): () => void {
    const wait = { what };
    this.#open.add(wait);
    this.#changes++;
    return () => {
      if (!this.#open.delete(wait)) return;
      this.#changes++;
      this.#last = what;
    };
  }

  /**
   * Reports that the case makes progress, for example that it advances its clock by one step of
   * many.
   */
  note(): void {
    this.#changes++;
  }

  /**
   * Returns a promise that settles like the given one, and counts as a wait for `what` until then.
   */
  async of<T>(what: string, promise: PromiseLike<T>): Promise<T> {
    const end = this.begin(what);
    try {
      return await promise;
    } finally {
      end();
    }
  }

  /**
   * A variant of `of` whose promise never settles in a case that has stalled, so that the rest of
   * the case does not run.
   */
  step<T>(what: string, promise: PromiseLike<T>): Promise<T> {
    return this.of(what, promise).then(
      (value) => (this.#stalled === undefined ? value : NEVER),
      (error) => {
        if (this.#stalled === undefined) throw error;
        return NEVER;
      },
    );
  }

  /**
   * Returns a context whose methods throw once the case has stalled: the error of the stall must
   * stay the first one that the runner sees. Clean-up and logs remain possible.
   */
  guard(t: TestContext): TestContext {
    return new Proxy(t, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          if (name !== 'log' && name !== 'teardown') this.check();
          return method.apply(target, args);
        };
      },
    });
  }

  /** Throws the error of a case that has stalled, to end loops that wait for an event. */
  check(): void {
    if (this.#stalled !== undefined) throw this.#stalled;
  }

  /**
   * Runs a case, and rejects as soon as nothing has happened in it for `stallTimeout` ms. The body
   * then goes on until its next `check` or `step`.
   */
  async run(body: () => Promise<unknown>): Promise<void> {
    const watchdog = this.#watch();
    try {
      await Promise.race([body(), watchdog.stalled]);
    } finally {
      watchdog.stop();
    }
  }

  /**
   * Checks every 100 ms whether anything has happened. It counts checks instead of time, so that a
   * process that was suspended, or that works without a pause, does not count as stalled. A late
   * check shows that the machine is busy, so events are late, too: late checks fail a case only
   * after {@link BUSY_STALL} ms.
   */
  #watch(): { readonly stalled: Promise<never>; stop(): void } {
    let timer: unknown;
    let due = 0;
    /**
     * The number of checks since the last event, and the number of those checks that were not late.
     */
    let looks = 0;
    let punctual = 0;
    let changes = this.#changes;
    /**
     * The number of bytes at the first check without another event, so that counting costs a busy
     * case nothing.
     */
    let bytes: number | undefined;
    const hasMoved = () => {
      if (changes !== this.#changes) {
        changes = this.#changes;
        bytes = undefined;
        return true;
      }
      const now = this.#bytes();
      bytes ??= now;
      if (now - bytes < SOME_BYTES) return false;
      bytes = now;
      return true;
    };
    const stalled = new Promise<never>((_, reject) => {
      const schedule = () => {
        due = this.#clock.now() + LOOK;
        timer = this.#clock.setTimeout(look, LOOK);
      };
      const look = () => {
        if (hasMoved()) looks = punctual = 0;
        else {
          looks++;
          if (this.#clock.now() - due < LATE) punctual++;
        }
        if (punctual * LOOK < this.stallTimeout && looks * LOOK < BUSY_STALL) return schedule();
        this.#stalled = new Error(this.#describe(looks * LOOK));
        reject(this.#stalled);
      };
      schedule();
    });
    stalled.catch(() => {}); // The case may have ended already.
    return { stalled, stop: () => this.#clock.clearTimeout(timer) };
  }

  #bytes(): number {
    return this.#sources.reduce((sum, source) => sum + (source.bytes?.() ?? 0), 0);
  }

  /** @param quiet the milliseconds during which nothing has happened. */
  #describe(quiet: number): string {
    const own = [...this.#open].map(({ what }) => what);
    const all = [...own, ...this.#sources.flatMap((source) => source.waits?.() ?? [])];
    const waits = all.slice(-MOST_NAMED);
    if (all.length > waits.length) waits.unshift(`${all.length - waits.length} earlier ones`);
    const after = this.#last === undefined ? '' : ` The last event was: ${this.#last}.`;
    const what = waits.length > 0 ? waits.join('; ') : 'a promise of its own';
    return `nothing has happened for ${quiet / 1_000} s. The case waits for: ${what}.${after}`;
  }
}

/**
 * The default of `stallTimeout`, in milliseconds; on a machine that is not busy, no case needs a
 * tenth of it.
 */
const STALL = 4_500;
/** The same time for a machine so busy that timers are late; also the maximum of `stallTimeout`. */
const BUSY_STALL = 30_000;
/**
 * The interval between checks, and the lateness from which a check counts as late, in milliseconds.
 */
const LOOK = 100;
const LATE = 20;
/**
 * The number of bytes that count as an event. While a case advances its clock, the pings of quiet
 * connections carry fewer bytes in {@link STALL} ms.
 */
const SOME_BYTES = 4_096;
const NEVER = new Promise<never>(() => {});
/** The number of waits that an error names. */
const MOST_NAMED = 12;

// The timers of Node on the clock of a simulated node: setTimeout and its relatives, their promise
// versions, and process.nextTick. Callbacks run in the async context in which they were given.

import { AsyncResource } from 'node:async_hooks';
import { promisify } from 'node:util';
import type { NodeContext } from '../nodes/node-context.ts';

type Callback = (...args: any[]) => unknown;
type Clock = NodeContext['clock'];

/** A timer, as Node's setTimeout and setInterval return it. `ref` and `unref` change nothing. */
class VirtualTimeout {
  readonly #timers: VirtualTimers;
  readonly #run: () => unknown;
  readonly #delay: number;
  readonly #repeats: boolean;
  readonly id: number;
  #timer: unknown;
  #isClosed = false;

  constructor(
    timers: VirtualTimers,
    id: number,
    run: () => unknown,
    delay: unknown,
    repeats: boolean,
  ) {
    this.#timers = timers;
    this.id = id;
    this.#run = AsyncResource.bind(run);
    this.#delay = waitOf(delay);
    this.#repeats = repeats;
    this.#set();
  }

  close(): this {
    this.#isClosed = true;
    this.#timers.clock.clearTimeout(this.#timer);
    this.#timers.byId.delete(this.id);
    return this;
  }

  refresh(): this {
    this.#timers.clock.clearTimeout(this.#timer);
    if (!this.#isClosed) this.#set();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.toPrimitive](): number {
    return this.id;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #set(): void {
    this.#timers.byId.set(this.id, this);
    this.#timer = this.#timers.clock.setTimeout(() => {
      if (this.#repeats) this.#set();
      else this.#timers.byId.delete(this.id);
      return this.#run();
    }, this.#delay);
  }
}

/** An immediate, as Node's setImmediate returns it. */
class VirtualImmediate {
  readonly #clear: () => void;

  constructor(clock: Clock, run: () => unknown) {
    const timer = clock.setTimeout(AsyncResource.bind(run), 0);
    this.#clear = () => clock.clearTimeout(timer);
  }

  close(): void {
    this.#clear();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The timers of one life of a node. */
export class VirtualTimers {
  readonly clock: Clock;
  /** Active timers by their numbers, which `clearTimeout` also accepts. */
  readonly byId = new Map<number, VirtualTimeout>();
  #made = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  readonly setTimeout = promisified(
    (callback: Callback, delay?: unknown, ...args: unknown[]) =>
      this.#timeout(callback, delay, args, false),
    (delay?: unknown, value?: unknown, options?: Waiting) =>
      this.#wait(waitOf(delay), value, options),
  );

  readonly setInterval = (callback: Callback, delay?: unknown, ...args: unknown[]) =>
    this.#timeout(callback, delay, args, true);

  readonly setImmediate = promisified(
    (callback: Callback, ...args: unknown[]) => {
      check('setImmediate', callback);
      return new VirtualImmediate(this.clock, () => callback(...args));
    },
    (value?: unknown, options?: Waiting) => this.#wait(0, value, options),
  );

  readonly clearTimeout = (timer: unknown): void => {
    const id = Number(typeof timer === 'object' ? (timer as VirtualTimeout | null)?.id : timer);
    this.byId.get(id)?.close();
  };

  readonly clearImmediate = (immediate: unknown): void => {
    if (immediate instanceof VirtualImmediate) immediate.close();
  };

  /** Runs a callback after the current code has finished, before any timer. */
  readonly nextTick = (callback: Callback, ...args: unknown[]): void => {
    check('process.nextTick', callback);
    this.clock.defer(AsyncResource.bind(() => callback(...args)));
  };

  /** The functions of `node:timers` that are also globals. */
  get functions() {
    const { setTimeout, setInterval, setImmediate, clearTimeout, clearImmediate } = this;
    const clearInterval = clearTimeout;
    return { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate };
  }

  /** The module `node:timers/promises`. */
  get promises() {
    const timers = this;
    return {
      setTimeout: this.setTimeout[promisify.custom],
      setImmediate: this.setImmediate[promisify.custom],
      async *setInterval(delay?: unknown, value?: unknown, options?: Waiting) {
        for (;;) yield await timers.#wait(waitOf(delay), value, options);
      },
      scheduler: {
        wait: (delay?: unknown, options?: Waiting) => this.#wait(waitOf(delay), undefined, options),
        yield: () => this.#wait(0, undefined, undefined),
      },
    };
  }

  #timeout(callback: Callback, delay: unknown, args: readonly unknown[], repeats: boolean) {
    check(repeats ? 'setInterval' : 'setTimeout', callback);
    const id = ++this.#made;
    const timer: VirtualTimeout = new VirtualTimeout(
      this,
      id,
      () => callback.apply(timer, args as unknown[]),
      delay,
      repeats,
    );
    return timer;
  }

  #wait<T>(delay: number, value: T, { signal }: Waiting = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.clock.clearTimeout(timer);
        reject(new DOMException('The operation was aborted', 'AbortError'));
      };
      const timer = this.clock.setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      }, delay);
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

interface Waiting {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the delay that Node uses: the given delay, but 1 ms if that is shorter, is not a number,
 * or exceeds 24.8 days.
 */
function waitOf(delay: unknown): number {
  const number = Math.trunc(Number(delay));
  return number >= 1 && number <= LONGEST ? number : 1;
}

function check(name: string, callback: unknown): void {
  if (typeof callback !== 'function')
    throw new TypeError(`${name}: the callback must be a function, got ${String(callback)}`);
}

/** Adds the version of a function that `util.promisify` returns. */
function promisified<F extends object, P>(callbacks: F, promises: P) {
  return Object.assign(callbacks, { [promisify.custom]: promises });
}

/** The longest delay of Node's timers in milliseconds, 2^31 − 1. */
const LONGEST = 2_147_483_647;

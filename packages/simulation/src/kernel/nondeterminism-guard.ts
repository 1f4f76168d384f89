// Forbids everything that would make a simulation irreproducible, or end it: while the guard is
// active, real timers, clocks, random numbers, sockets and exits throw an error that names them.

/** A guard that can be suspended for a while. */
export interface SuspendableGuard {
  /** Restores the real functions. */
  suspend(): void;
  /** Replaces the real functions again. */
  resume(): void;
}

/** The guard that {@link forbidNondeterminism} installs. */
export interface NondeterminismGuard extends SuspendableGuard {
  /** Removes the guard permanently. */
  end(): void;
  /**
   * Allows the next call of `setImmediate` of `node:timers`: Node itself makes this call after an
   * uncaught exception was handled.
   */
  allowNodeOnce(): void;
}

/** A property to replace while the guard is active. */
interface Target {
  readonly object: object;
  readonly key: PropertyKey;
  readonly replacement: unknown;
}

/** A property that is currently replaced, with its original descriptor. */
interface Patch extends Target {
  readonly before: PropertyDescriptor | undefined;
}

/**
 * Creates the error that a caller of a forbidden function gets. `remedy` says what to call instead;
 * `rule` is the broken rule, unless it is the one about time, randomness and sockets.
 */
type Report = (name: string, remedy: string, rule?: string) => Error;

/**
 * Forbids real time, randomness, sockets and exits in this thread, until `end`.
 *
 * @throws TypeError if another simulation is running in this thread, because their microtasks would
 * interleave.
 */
export function forbidNondeterminism(report: Report): NondeterminismGuard {
  if (installed !== undefined)
    throw new TypeError(
      'another simulation runs in this thread: await it first, and run tests of simulations serially (test.serial in AVA)',
    );
  let isAllowed = false;
  const targets = targetsOf(report, () => {
    const allowed = isAllowed;
    isAllowed = false;
    return allowed;
  });
  let patches: Patch[] = [];
  const guard = {
    suspend() {
      for (const { object, key, before } of patches.reverse()) {
        if (before === undefined) Reflect.deleteProperty(object, key);
        else Object.defineProperty(object, key, before);
      }
      patches = [];
    },
    resume() {
      if (patches.length > 0) return;
      for (const target of targets) {
        const before = Object.getOwnPropertyDescriptor(target.object, target.key);
        if (before?.configurable === false) continue;
        patches.push({ ...target, before });
        Object.defineProperty(target.object, target.key, {
          value: target.replacement,
          configurable: true,
          writable: true,
          enumerable: before?.enumerable ?? true,
        });
      }
    },
    isActive: () => patches.length > 0,
    end() {
      guard.suspend();
      installed = undefined;
    },
    allowNodeOnce() {
      isAllowed = true;
    },
  };
  guard.resume();
  installed = guard;
  return guard;
}

/**
 * Runs an action with the real functions in place. Only synchronous code gets them, not the code
 * after an `await`.
 */
export function unguarded<T>(action: () => T): T {
  const guard = installed?.isActive() ? installed : undefined;
  guard?.suspend();
  try {
    return action();
  } finally {
    guard?.resume();
  }
}

/** Waits for a turn of the real event loop. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => immediate(resolve));
}

/**
 * Waits for a turn of the real event loop. The guard is suspended for other work of the loop, but
 * not for code that is still in the microtask queue.
 */
export function macrotask(guard: SuspendableGuard): Promise<void> {
  return new Promise((resolve) => {
    // Node runs `nextTick` callbacks when its microtask queue is empty. In a page no other code
    // needs a forbidden function.
    tick?.(() => guard.suspend());
    immediate(() => {
      guard.resume();
      resolve();
    });
  });
}

/**
 * Waits until the microtask queue is empty. In Node this takes no turn of the event loop, so no
 * other work of the program runs meanwhile and the guard stays as it is.
 */
export function emptyMicrotaskQueue(guard: SuspendableGuard): Promise<void> {
  if (tick === undefined) return macrotask(guard);
  return new Promise((resolve) => tick(resolve));
}

/** The guard of this thread. */
let installed: (SuspendableGuard & { isActive(): boolean }) | undefined;

// The runtime's own functions, taken before a guard replaces them.
const globals = globalThis as unknown as Record<string, any>;
const tick: ((callback: () => void) => void) | undefined = globals['process']?.nextTick;
const immediate: (callback: () => void) => void = globals['setImmediate'] ?? viaChannel();

/** Returns a function that runs callbacks on a later turn, for runtimes without `setImmediate`. */
function viaChannel(): (callback: () => void) => void {
  const channel = new globals['MessageChannel']();
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(0);
  };
}

/**
 * Returns every forbidden function that this runtime has. `isAllowed` is called at each call of
 * Node's own `setImmediate`.
 */
function targetsOf(report: Report, isAllowed: () => boolean): Target[] {
  // A function instead of an arrow function, because some of them are called with `new`.
  const fails = (...use: Parameters<Report>) =>
    function forbidden(): never {
      throw report(...use);
    };
  const targets: Target[] = [];
  const forbid = (object: object | undefined, key: string, ...use: Parameters<Report>) => {
    if (object !== undefined && object !== null && key in object)
      targets.push({ object, key, replacement: fails(...use) });
  };
  for (const key of ['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame'])
    forbid(globals, key, `${key}()`, TIMER);
  forbid(globals['AbortSignal'], 'timeout', 'AbortSignal.timeout()', TIMER);
  forbid(globals['performance'], 'now', 'performance.now()', CLOCK);
  forbid(globals['Date'], 'now', 'Date.now()', CLOCK);
  targets.push({
    object: globals,
    key: 'Date',
    replacement: datesOnly(fails('new Date()', CLOCK)),
  });
  forbid(globals['Math'], 'random', 'Math.random()', CHANCE);
  for (const key of ['getRandomValues', 'randomUUID'])
    forbid(globals['crypto'], key, `crypto.${key}()`, CHANCE);
  for (const key of [
    'digest',
    'sign',
    'verify',
    'encrypt',
    'decrypt',
    'generateKey',
    'importKey',
    'deriveBits',
    'deriveKey',
  ]) {
    forbid(
      globals['crypto']?.subtle,
      key,
      `crypto.subtle.${key}()`,
      'it answers in real time: hash and sign with a synchronous library',
    );
  }
  for (const key of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'])
    forbid(globals, key, key, SOCKET);
  // The runtime makes some events itself, so their times are constant.
  const event = globals['Event']?.prototype;
  if (event) targets.push({ object: event, key: 'timeStamp', replacement: 0 });
  forbid(globals['process'], 'hrtime', 'process.hrtime()', CLOCK);
  // `_kill` also serves those who have imported `kill` of node:process.
  for (const key of ['exit', 'abort', 'kill', '_kill'])
    forbid(globals['process'], key, `process.${key.replace('_', '')}()`, EXIT, 'exit');
  forbid(
    globals,
    'MessageChannel',
    'MessageChannel',
    'its messages arrive in real time: use a queue of your own',
  );
  const builtin = globals['process']?.getBuiltinModule as ((name: string) => any) | undefined;
  if (builtin !== undefined) {
    const timers = builtin('node:timers');
    for (const key of ['setTimeout', 'setInterval']) forbid(timers, key, `timers.${key}()`, TIMER);
    const setImmediate = (callback: () => void) => {
      if (isAllowed()) return immediate(callback);
      throw report('timers.setImmediate()', TIMER);
    };
    targets.push({ object: timers, key: 'setImmediate', replacement: setImmediate });
    for (const key of ['randomBytes', 'randomInt', 'randomUUID', 'randomFillSync'])
      forbid(builtin('node:crypto'), key, `crypto.${key}()`, CHANCE);
    forbid(builtin('node:net').Socket.prototype, 'connect', 'net.Socket.connect()', SOCKET);
    forbid(builtin('node:net').Server.prototype, 'listen', 'net.Server.listen()', SOCKET);
    forbid(builtin('node:dgram').Socket.prototype, 'bind', 'dgram.Socket.bind()', SOCKET);
    forbid(builtin('node:dgram').Socket.prototype, 'send', 'dgram.Socket.send()', SOCKET);
  }
  return targets;
}

/** Returns a Date that works as usual, except that it does not provide the current time. */
function datesOnly(now: () => never): unknown {
  return new Proxy(globals['Date'], {
    construct: (target, args, newTarget) =>
      args.length === 0 ? now() : Reflect.construct(target, args, newTarget),
    apply: now,
  });
}

const TIMER = 'wait with the clock of the node: clock.setTimeout or clock.sleep';
const CLOCK = 'read the clock of the node: clock.now() or clock.wall()';
const CHANCE = 'draw from random() of the node';
const SOCKET = 'nodes reach each other only through transport() of the node';
const EXIT = 'it would end this process: crash the node with sim.crash';

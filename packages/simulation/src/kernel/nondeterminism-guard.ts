// The ban on everything that would make a simulation irreproducible: while it runs, real timers,
// clocks, random numbers and sockets throw an error that names them.

/** The ban, for the time that a simulation runs. */
export interface SuspendableGuard {
  /** Lifts the ban, and imposes it again, around a turn of the real event loop. */
  lift(): void;
  impose(): void;
}

/** The ban made by {@link banReality}. */
export interface NondeterminismGuard extends SuspendableGuard {
  /** Ends the ban for good. */
  end(): void;
  /**
   * Allows the next call of `setImmediate` of `node:timers`: Node itself makes it after an uncaught
   * exception was handled.
   */
  spareNode(): void;
}

interface Target {
  readonly object: object;
  readonly key: PropertyKey;
  readonly replacement: unknown;
}

/** A banned name and the property that it replaces. */
interface Patch extends Target {
  readonly before: PropertyDescriptor | undefined;
}

/**
 * Bans real time, randomness and sockets in this thread. `report` creates the error that a caller
 * of a banned name gets.
 *
 * @throws TypeError if another simulation is running in this thread, because their microtasks would
 * interleave.
 */
export function banReality(report: (name: string, remedy: string) => Error): NondeterminismGuard {
  if (held)
    throw new TypeError(
      'another simulation runs in this thread: await it first, and run tests of simulations serially (test.serial in AVA)',
    );
  held = true;
  let isSpared = false;
  const targets = targetsOf(report, () => {
    const spared = isSpared;
    isSpared = false;
    return spared;
  });
  let patches: Patch[] = [];
  const ban = {
    lift() {
      for (const { object, key, before } of patches.reverse()) {
        if (before === undefined) Reflect.deleteProperty(object, key);
        else Object.defineProperty(object, key, before);
      }
      patches = [];
    },
    impose() {
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
    end() {
      ban.lift();
      held = false;
    },
    spareNode() {
      isSpared = true;
    },
  };
  ban.impose();
  return ban;
}

/** Waits for a turn of the real event loop. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => immediate(resolve));
}

/**
 * Waits for a turn of the real event loop within a ban. The ban is lifted for other work of the
 * loop, but not for what is still in the microtask queue.
 */
export function macrotask(ban: SuspendableGuard): Promise<void> {
  return new Promise((resolve) => {
    // Node runs `nextTick` callbacks once its microtask queue is empty. In a page no other code
    // needs what is banned.
    tick?.(() => ban.lift());
    immediate(() => {
      ban.impose();
      resolve();
    });
  });
}

let held = false;

const globals = globalThis as unknown as Record<string, any>;
const tick: ((callback: () => void) => void) | undefined = globals['process']?.nextTick;
const immediate: (callback: () => void) => void = globals['setImmediate'] ?? viaChannel();

function viaChannel(): (callback: () => void) => void {
  const channel = new globals['MessageChannel']();
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(0);
  };
}

function targetsOf(
  report: (name: string, remedy: string) => Error,
  isSpared: () => boolean,
): Target[] {
  // A function instead of an arrow function, because some of them are called with `new`.
  const fails = (name: string, remedy: string) =>
    function banned(): never {
      throw report(name, remedy);
    };
  const targets: Target[] = [];
  const ban = (object: object | undefined, key: string, name: string, remedy: string) => {
    if (object !== undefined && object !== null && key in object)
      targets.push({ object, key, replacement: fails(name, remedy) });
  };
  for (const key of ['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame'])
    ban(globals, key, `${key}()`, TIMER);
  ban(globals['AbortSignal'], 'timeout', 'AbortSignal.timeout()', TIMER);
  ban(globals['performance'], 'now', 'performance.now()', CLOCK);
  ban(globals['Date'], 'now', 'Date.now()', CLOCK);
  targets.push({
    object: globals,
    key: 'Date',
    replacement: datesOnly(fails('new Date()', CLOCK)),
  });
  ban(globals['Math'], 'random', 'Math.random()', CHANCE);
  for (const key of ['getRandomValues', 'randomUUID'])
    ban(globals['crypto'], key, `crypto.${key}()`, CHANCE);
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
    ban(
      globals['crypto']?.subtle,
      key,
      `crypto.subtle.${key}()`,
      'it answers in real time: hash and sign with a synchronous library',
    );
  }
  for (const key of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'])
    ban(globals, key, key, SOCKET);
  ban(globals['process'], 'hrtime', 'process.hrtime()', CLOCK);
  ban(
    globals,
    'MessageChannel',
    'MessageChannel',
    'its messages arrive in real time: use a queue of your own',
  );
  const builtin = globals['process']?.getBuiltinModule as ((name: string) => any) | undefined;
  if (builtin !== undefined) {
    const timers = builtin('node:timers');
    for (const key of ['setTimeout', 'setInterval']) ban(timers, key, `timers.${key}()`, TIMER);
    const setImmediate = (callback: () => void) => {
      if (isSpared()) return immediate(callback);
      throw report('timers.setImmediate()', TIMER);
    };
    targets.push({ object: timers, key: 'setImmediate', replacement: setImmediate });
    for (const key of ['randomBytes', 'randomInt', 'randomUUID', 'randomFillSync'])
      ban(builtin('node:crypto'), key, `crypto.${key}()`, CHANCE);
    ban(builtin('node:net').Socket.prototype, 'connect', 'net.Socket.connect()', SOCKET);
    ban(builtin('node:net').Server.prototype, 'listen', 'net.Server.listen()', SOCKET);
    ban(builtin('node:dgram').Socket.prototype, 'bind', 'dgram.Socket.bind()', SOCKET);
    ban(builtin('node:dgram').Socket.prototype, 'send', 'dgram.Socket.send()', SOCKET);
  }
  return targets;
}

/** Returns a Date that works as usual, except that it does not tell the current time. */
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

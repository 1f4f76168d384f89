// The globals and built-in modules of Node that depend on time or chance, as the code of one life
// of a simulated node sees them.

import os from 'node:os';
import { posix } from 'node:path';
import process from 'node:process';
import type { NodeContext } from '../nodes/node-context.ts';
import { fileSystem } from './files/virtual-fs.ts';
import { overlay } from './overlay.ts';
import { virtualCrypto } from './virtual-crypto.ts';
import { virtualMessageChannel } from './virtual-messages.ts';
import { virtualPerformance } from './virtual-performance.ts';
import { VirtualTimers } from './virtual-timers.ts';

/** The globals that loaded code gets instead of the real ones. */
export const GLOBALS = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'Date',
  'Math',
  'performance',
  'AbortSignal',
  'MessageChannel',
  'crypto',
  'process',
  'globalThis',
  'global',
] as const;

/** The globals and built-in modules that the code of one life of a node gets. */
export interface VirtualWorld {
  readonly globals: Readonly<Record<(typeof GLOBALS)[number], unknown>>;
  /** Returns the virtual version of a built-in module, by its name without `node:`, if it has one. */
  builtin(name: string): object | undefined;
}

/** Creates the world of one life of a node. Its clock, randomness and disk are those of the node. */
export function virtualWorld(context: NodeContext): VirtualWorld {
  const { clock, random, name } = context;
  const timers = new VirtualTimers(clock);
  const date = virtualDate(() => Math.floor(clock.wall()));
  const math = Object.create(Object.prototype, {
    ...Object.getOwnPropertyDescriptors(Math),
    random: { value: random, writable: true, configurable: true },
  });
  const performance = virtualPerformance(clock);
  const { webcrypto, module: cryptoModule } = virtualCrypto(random);
  const virtualProcess = processOf(clock, timers);
  const own: Record<string, unknown> = {
    ...timers.functions,
    Date: date,
    Math: math,
    performance,
    AbortSignal: virtualAbortSignal(clock),
    MessageChannel: virtualMessageChannel(clock),
    crypto: webcrypto,
    process: virtualProcess,
  };
  const global = overlay<Record<string, unknown>>(globalThis, own);
  own['globalThis'] = own['global'] = global;
  const perf = overlay<object>(process.getBuiltinModule('node:perf_hooks'), { performance });
  const promises = timers.promises;
  const path = virtualPath();
  const builtins = new Map<string, object>([
    ['path', path],
    ['path/posix', path],
    ['os', overlay<object>(os, { hostname: () => name, tmpdir: () => '/tmp' })],
    ['timers', { ...timers.functions, promises }],
    ['timers/promises', promises],
    ['crypto', cryptoModule],
    ['perf_hooks', perf],
    ['process', virtualProcess],
  ]);
  const builtin = (name: string): object | undefined => {
    if (name === 'fs') return fileSystem(context);
    return name === 'fs/promises' ? fileSystem(context).promises : builtins.get(name);
  };
  return { globals: own as unknown as VirtualWorld['globals'], builtin };
}

function virtualDate(wall: () => number): unknown {
  const date: unknown = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(
        target,
        args.length === 0 ? [wall()] : args,
        newTarget === date ? target : newTarget,
      ),
    apply: () => new RealDate(wall()).toString(),
    get: (target, key) => (key === 'now' ? wall : Reflect.get(target, key)),
  });
  return date;
}

/** Creates the class `AbortSignal` with timeouts on the clock of the node. */
function virtualAbortSignal(clock: NodeContext['clock']): unknown {
  const timeout = (delay: number): AbortSignal => {
    const controller = new AbortController();
    clock.setTimeout(() => {
      const text = 'The operation was aborted due to timeout';
      controller.abort(new DOMException(text, 'TimeoutError'));
    }, delay);
    return controller.signal;
  };
  return new Proxy(AbortSignal, {
    get: (target, key) => (key === 'timeout' ? timeout : Reflect.get(target, key)),
  });
}

/**
 * Creates the module `path` of a node, which follows POSIX on every machine. The current directory
 * is `/`.
 */
function virtualPath(): object {
  const own: Record<string, unknown> = {
    resolve: (...paths: string[]) => posix.resolve('/', ...paths),
    relative: (from: string, to: string) =>
      posix.relative(posix.resolve('/', from), posix.resolve('/', to)),
  };
  const path = overlay<object>(posix, own);
  own['posix'] = path;
  return path;
}

function processOf(clock: NodeContext['clock'], timers: VirtualTimers): object {
  const began = clock.now();
  const nanoseconds = () => BigInt(Math.floor(clock.now() * 1e6));
  const hrtime = (since?: readonly [number, number]): [number, number] => {
    const passed =
      nanoseconds() - (since === undefined ? 0n : BigInt(since[0]) * SECOND + BigInt(since[1]));
    const seconds = passed / SECOND - (passed % SECOND < 0n ? 1n : 0n);
    return [Number(seconds), Number(passed - seconds * SECOND)];
  };
  const refuse = (name: string) => () => {
    throw new Error(
      `process.${name}() in a simulated node would end this process: end the node with sim.crash`,
    );
  };
  const own: Record<string, unknown> = {
    nextTick: timers.nextTick,
    hrtime: Object.assign(hrtime, { bigint: nanoseconds }),
    uptime: () => (clock.now() - began) / 1_000,
    pid: 1,
    ppid: 0,
    cwd: () => '/',
    chdir: () => {
      throw new Error('process.chdir() in a simulated node: its current directory is always /');
    },
    cpuUsage: () => ({ user: 0, system: 0 }),
    memoryUsage: Object.assign(() => ({ ...NO_MEMORY }), { rss: () => 0 }),
    exit: refuse('exit'),
    abort: refuse('abort'),
    kill: refuse('kill'),
    emitWarning: () => {},
  };
  const self = overlay<object>(process, own);
  // Listeners for signals and for the end of the process would outlive the node.
  for (const name of LISTENING) own[name] = () => self;
  return self;
}

const LISTENING = [
  'on',
  'once',
  'addListener',
  'prependListener',
  'prependOnceListener',
  'off',
  'removeListener',
  'removeAllListeners',
];
const NO_MEMORY = { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };
/** Nanoseconds in a second. */
const SECOND = 1_000_000_000n;
/** The real Date, captured before a simulation replaces it. */
const RealDate = Date;

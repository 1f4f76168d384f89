// The globals and built-in modules of Node, as the code of one life of a simulated node sees them.

import console from 'node:console';
import type { NodeContext } from '../nodes/node-context.ts';
import { REFUSED_GLOBALS, TIME } from './builtins.ts';
import { heldReferences } from './held-references.ts';
import { overlay } from './overlay.ts';
import { Refusals } from './refusals.ts';
import { CODE } from './transform.ts';
import { type Modules, UNTIMED, VirtualBuiltins } from './virtual-builtins.ts';
import { virtualCode } from './virtual-code.ts';
import { virtualDate, virtualFile, virtualIntl } from './virtual-dates.ts';
import { virtualNavigator } from './virtual-machine.ts';
import { virtualMessageChannel } from './virtual-messages.ts';
import { virtualPerformance } from './virtual-performance.ts';
import { VirtualTimers } from './virtual-timers.ts';

/**
 * The globals that loaded code gets instead of the real ones. Code sees `undefined` for a name that
 * `virtualWorld` gives no value.
 */
export const GLOBALS = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'Date',
  'Intl',
  'Temporal',
  'File',
  'Function',
  'Math',
  'Atomics',
  'WebAssembly',
  'WeakRef',
  'FinalizationRegistry',
  'performance',
  'AbortSignal',
  'MessageChannel',
  'crypto',
  'process',
  'console',
  'navigator',
  'localStorage',
  'sessionStorage',
  ...(Object.keys(REFUSED_GLOBALS) as (keyof typeof REFUSED_GLOBALS)[]),
  'globalThis',
  'global',
  ...CODE,
] as const;

/** The globals and built-in modules that the code of one life of a node gets. */
export interface VirtualWorld {
  /** The values of `GLOBALS`, in order. */
  readonly globals: readonly unknown[];
  /** Returns a built-in module by its name without `node:`, as its policy says. */
  builtin(name: string): object;
  /** Makes stand-ins for what the node may not use. */
  refusals(remedy: string): Refusals;
}

/**
 * Creates the world of one life of a node. Its clock, randomness and disk are those of the node.
 */
export function virtualWorld(context: NodeContext, modules: Modules): VirtualWorld {
  const { clock } = context;
  const wall = () => Math.floor(clock.wall());
  const refusals = (remedy: string) =>
    new Refusals((call) => {
      const file = modules.running() ?? 'loaded code';
      return new Error(`loader: ${call} in ${file} is refused in a simulation: ${remedy}`);
    });
  const timers = new VirtualTimers(clock);
  const machine = refusals(TIME);
  const math = Object.create(Object.prototype, {
    ...Object.getOwnPropertyDescriptors(Math),
    random: { value: context.random, writable: true, configurable: true },
  });
  const own: Record<string, unknown> = {
    ...timers.functions,
    ...heldReferences,
    Date: virtualDate(wall),
    Intl: virtualIntl(wall),
    File: virtualFile(wall),
    Math: math,
    performance: virtualPerformance(clock, machine),
    Atomics: machine.sealed(Atomics, {}, 'Atomics', /^(?!wait)/),
    WebAssembly: virtualWebAssembly(),
    AbortSignal: virtualAbortSignal(clock),
    MessageChannel: virtualMessageChannel(clock),
    console: overlay(console, UNTIMED),
    navigator: virtualNavigator(),
    localStorage: undefined,
    sessionStorage: undefined,
  };
  const real = globalThis as Record<string, any>;
  for (const [name, remedy] of Object.entries(REFUSED_GLOBALS))
    own[name] = refusals(remedy).of(real[name], name);
  const { Temporal } = real;
  if (Temporal !== undefined)
    own['Temporal'] = machine.sealed(Temporal, {}, 'Temporal', /^(?!Now)/);
  // Packages keep what all their copies share under symbols, which the program's copies set, too.
  const ofNode = (key: PropertyKey, value: unknown) =>
    typeof key === 'symbol' && key !== Symbol.toStringTag ? undefined : value;
  const global = overlay<Record<string, unknown>>(globalThis, own, ofNode);
  const builtins = new VirtualBuiltins(context, modules, own, timers, refusals);
  const values: unknown[] = [];
  const made = virtualCode({
    names: GLOBALS,
    values: () => values,
    importer: () => {
      const file = modules.running() ?? '/code-made-at-run-time';
      return (specifier) => modules.import(specifier, file);
    },
    globalThis: global,
    classes: new Map<unknown, unknown>([
      [RealDate, own['Date']],
      [Intl.DateTimeFormat, (own['Intl'] as typeof Intl).DateTimeFormat],
      [File, own['File']],
    ]),
  });
  Object.assign(own, { globalThis: global, global, Function: made.Function, eval: made.eval });
  own['crypto'] = (builtins.get('crypto') as { readonly webcrypto: object }).webcrypto;
  own['process'] = builtins.get('process');
  // Older versions of Node lack some of them.
  for (const name of Object.keys(own)) if (!(name in globalThis)) delete own[name];
  const all: Record<string, unknown> = { ...own, ...made.code };
  values.push(...GLOBALS.map((name) => all[name]));
  return { globals: values, builtin: (name) => builtins.get(name), refusals };
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

/** Creates the global `WebAssembly`, which compiles at once instead of on threads in real time. */
function virtualWebAssembly(): object {
  const real = (globalThis as Record<string, any>)['WebAssembly'];
  const { Module, Instance } = real;
  return overlay(real, {
    compile: async (source: unknown) => new Module(source),
    async instantiate(source: unknown, imports?: object) {
      if (source instanceof Module) return new Instance(source, imports);
      const module = new Module(source);
      return { module, instance: new Instance(module, imports) };
    },
  });
}

/** The real Date, captured before a simulation replaces it. */
const RealDate = Date;

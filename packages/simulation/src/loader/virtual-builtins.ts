// The built-in modules of Node, as the code of one life of a simulated node sees them.

import { builtinModules, isBuiltin, Module } from 'node:module';
import { posix } from 'node:path';
import process from 'node:process';
import url from 'node:url';
import util from 'node:util';
import { diskAccessOf } from '../nodes/disk-access.ts';
import type { NodeContext } from '../nodes/node-context.ts';
import { policyOf } from './builtins.ts';
import { fileSystem } from './files/virtual-fs.ts';
import { machinePath } from './machine-paths.ts';
import { overlay } from './overlay.ts';
import type { Refusals } from './refusals.ts';
import { watchModule } from './shared-builtins.ts';
import { virtualAsyncHooks } from './virtual-async-hooks.ts';
import { inCallbacks, virtualCrypto } from './virtual-crypto.ts';
import { virtualChannels } from './virtual-diagnostics.ts';
import { virtualMachine } from './virtual-machine.ts';
import { LISTENING, virtualProcess } from './virtual-process.ts';
import type { VirtualTimers } from './virtual-timers.ts';

/** The modules of a node, as its world sees them. */
export interface Modules {
  /** Returns the file whose code is being run. */
  running(): string | undefined;
  /** Returns the `require` of a file. */
  requireIn(file: string): (specifier: string) => unknown;
  /** Imports a module as `import()` in a file does. */
  import(specifier: string, file: string): Promise<unknown>;
}

/** Makes the built-in modules of a node when they are first used, as their policies say. */
export class VirtualBuiltins {
  readonly #made = new Map<string, object>();
  readonly #whole: Readonly<Record<string, () => object>>;
  /** The members that replace those of the real modules. */
  readonly #members: Readonly<Record<string, () => Record<string, unknown>>>;
  readonly #refusals: (remedy: string) => Refusals;

  /** `globals` are the virtual globals, some of which are also members of modules. */
  constructor(
    context: NodeContext,
    modules: Modules,
    globals: Readonly<Record<string, unknown>>,
    timers: VirtualTimers,
    refusals: (remedy: string) => Refusals,
  ) {
    const { clock, random, name } = context;
    this.#refusals = refusals;
    this.#whole = {
      fs: () => fileSystem(context),
      'fs/promises': () => fileSystem(context).promises,
      module: () => virtualModule(modules, refusals('the modules of a node cannot be changed')),
      path: virtualPath,
      'path/posix': () => this.get('path'),
      timers: () => ({ ...timers.functions, promises: this.get('timers/promises') }),
      'timers/promises': () => timers.promises,
    };
    this.#members = {
      async_hooks: () => virtualAsyncHooks(diskAccessOf(context)),
      buffer: () => ({ File: globals['File'] }),
      console: () => UNTIMED,
      crypto: () => virtualCrypto(random, refusals((policyOf('crypto') as Refused).remedy)),
      diagnostics_channel: virtualChannels,
      os: () => virtualMachine(name, () => clock.now() / 1_000),
      perf_hooks: () => ({ performance: globals['performance'] }),
      process: () => this.#process(virtualProcess(clock, timers)),
      tty: () => ({ isatty: () => false }),
      url: () => POSIX_URLS,
      util: () => ({
        parseArgs: (options = {}) =>
          util.parseArgs({
            args: (this.get('process') as typeof process).argv.slice(2),
            ...options,
          }),
      }),
      worker_threads: () => ({
        ...{ isMainThread: true, threadId: 0, threadName: '', parentPort: null, workerData: null },
        MessageChannel: globals['MessageChannel'],
      }),
      zlib: () => inCallbacks(realModule('zlib') as Record<string, unknown>),
    };
  }

  /** Returns a built-in module by its name without `node:`. */
  get(name: string): object {
    let made = this.#made.get(name);
    if (made === undefined) this.#made.set(name, (made = this.#make(name)));
    return made;
  }

  #make(name: string): object {
    const policy = policyOf(name);
    if (policy === 'virtual') return this.#whole[name]!();
    const real = realModule(name);
    if (policy === 'pure') {
      watchModule(real, name);
      return real;
    }
    const own = this.#members[name]?.() ?? {};
    return this.#refusals(policy.remedy).sealed(real, own, name, policy.pure);
  }

  #process(own: Record<string, unknown>): Record<string, unknown> {
    const self = () => this.get('process');
    for (const name of LISTENING) own[name] = self;
    own['getBuiltinModule'] = (name: string) =>
      isBuiltin(name) ? this.get(name.replace(/^node:/, '')) : undefined;
    return own;
  }
}

/** Creates the module `node:module`, whose `require` is that of the loader. */
function virtualModule(modules: Modules, refusals: Refusals): object {
  const made = refusals.of(Module, 'module') as object;
  const load = (specifier: string, parent?: { readonly filename?: string }) =>
    modules.requireIn(machinePath(parent?.filename ?? modules.running() ?? '/'))(specifier);
  const members = {
    createRequire: (from: string | URL) => modules.requireIn(machinePath(from)),
    _load: load,
    builtinModules,
    isBuiltin,
    _cache: {},
    _extensions: {},
  };
  for (const [key, value] of Object.entries(members))
    Object.defineProperty(made, key, { value, writable: true, enumerable: true });
  return made;
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

type Refused = Exclude<ReturnType<typeof policyOf>, string>;

function realModule(name: string): object {
  return process.getBuiltinModule(`node:${name}`) as object;
}

/** The members of `console` that would print real times. */
export const UNTIMED = { time() {}, timeEnd() {}, timeLog() {} };

/** The members of `url` whose results depend on the rules for paths, and on the current directory. */
const POSIX_URLS = {
  fileURLToPath: (from: string | URL, options: object = {}) =>
    url.fileURLToPath(from, { windows: false, ...options }),
  pathToFileURL: (path: string, options: object = {}) =>
    url.pathToFileURL(posix.join('/', path), { windows: false, ...options }),
};

// The modules of one life of a node. Each file has one instance, as in a separate process.

import { createRequire } from 'node:module';
import { diskAccessOf } from '../nodes/disk-access.ts';
import type { NodeContext } from '../nodes/node-context.ts';
import type { CompiledFile, CompiledFiles } from './compiled-files.ts';
import { type Dependency, EsModule } from './es-module.ts';
import { LoadedRun } from './loaded-run.ts';
import { withoutMachineAccess } from './machine-access.ts';
import { seenPath } from './machine-paths.ts';
import { overlay } from './overlay.ts';
import { type Resolved, resolveImport, resolveRequire } from './resolution.ts';
import { type VirtualWorld, virtualWorld } from './virtual-globals.ts';

/** A CommonJS module as its code sees it. */
interface CommonModule {
  exports: any;
  readonly id: string;
  readonly filename: string;
  loaded: boolean;
  readonly require: object;
  readonly children: readonly never[];
  readonly paths: readonly string[];
}

/** Loads, links and evaluates modules. */
export class ModuleGraph {
  readonly #files: CompiledFiles;
  readonly #world: VirtualWorld;
  readonly #isShared: (packageName: string) => boolean;
  /** Notes that the evaluation of a file begins; the result is called at its end. */
  readonly #begin: (file: string) => () => void;
  readonly #modules = new Map<string, EsModule>();
  readonly #common = new Map<string, CommonModule>();
  /** The exports of files of shared packages. */
  readonly #shared = new Map<string, unknown>();
  /** The namespaces of modules that are not ES modules. */
  readonly #namespaces = new Map<string, Record<string, unknown>>();

  constructor(
    files: CompiledFiles,
    context: NodeContext,
    isShared: (packageName: string) => boolean,
  ) {
    const run = LoadedRun.of(diskAccessOf(context).loop);
    this.#begin = (file) => run.evaluate(file, context.name);
    this.#files = files;
    this.#world = virtualWorld(context, {
      running: () => files.running(),
      requireIn: (file) => this.#requireIn(file),
      import: (specifier, file) => this.import(specifier, file),
    });
    this.#isShared = isShared;
  }

  /** Imports a module as `import()` in the file `parent` would, and resolves to its namespace. */
  async import(specifier: string, parent: string): Promise<unknown> {
    const dependency = this.#dependency(resolveImport(specifier, parent));
    const { module, namespace, evaluate } = dependency;
    if (module === undefined) evaluate();
    else if (module.awaits() || module.isUnderWay()) await module.evaluateAsync();
    else module.evaluate();
    return namespace;
  }

  #dependency(resolved: Resolved): Dependency {
    if ('builtin' in resolved) {
      const builtin = this.#world.builtin(resolved.builtin);
      const namespace = overlay<object>(builtin, { default: builtin });
      return { namespace, module: undefined, evaluate() {} };
    }
    const { file } = resolved;
    if (!this.#isReal(file) && this.#files.get(file).kind === 'module') {
      const module = this.#module(file);
      return { namespace: module.namespace, module, evaluate() {} };
    }
    let namespace = this.#namespaces.get(file);
    if (namespace === undefined)
      this.#namespaces.set(file, (namespace = Object.create(null) as Record<string, unknown>));
    const own = namespace;
    return { namespace: own, module: undefined, evaluate: () => this.#fill(own, file) };
  }

  /** Gives the namespace of a CommonJS module its names. */
  #fill(namespace: Record<string, unknown>, file: string): void {
    if ('default' in namespace) return;
    const exports = this.#require(file);
    const isNamespace = exports?.[Symbol.toStringTag] === 'Module';
    if ((typeof exports === 'object' && exports !== null) || typeof exports === 'function')
      for (const name of Object.keys(exports)) namespace[name] = exports[name];
    if (!isNamespace) namespace['default'] = exports;
  }

  #module(file: string): EsModule {
    let module = this.#modules.get(file);
    if (module !== undefined) return module;
    const compiled = this.#files.get(file) as CompiledFile & { kind: 'module' };
    module = new EsModule(file, compiled);
    this.#modules.set(file, module);
    try {
      this.#link(module, compiled);
    } catch (error) {
      module.fail(error);
      throw error;
    }
    return module;
  }

  #link(module: EsModule, compiled: CompiledFile & { kind: 'module' }): void {
    const { file } = module;
    const dependencies = compiled.imports.map((specifier) =>
      this.#dependency(resolveImport(specifier, file)),
    );
    const resolve = (specifier: string) => {
      const resolved = resolveImport(specifier, file);
      return 'builtin' in resolved ? `node:${resolved.builtin}` : seenPath(resolved.file).url;
    };
    module.link(compiled, dependencies, {
      globals: this.#world.globals,
      importModule: (specifier) => this.import(String(specifier), file),
      meta: { ...seenPath(file), resolve },
      begin: this.#begin,
    });
    module.linkStars();
  }

  #require(file: string): any {
    if (this.#isReal(file)) return this.#requireShared(file);
    const known = this.#common.get(file);
    if (known !== undefined) return known.exports;
    const compiled = this.#files.get(file);
    if (compiled.kind === 'module') return this.#requireModule(file);
    const { filename } = seenPath(file);
    const module: CommonModule = {
      exports: {},
      id: filename,
      filename,
      loaded: false,
      require: this.#requireIn(file),
      children: [],
      paths: [],
    };
    this.#common.set(file, module);
    try {
      if (compiled.kind === 'json') module.exports = JSON.parse(compiled.text);
      else this.#evaluate(compiled, module, file);
    } catch (error) {
      this.#common.delete(file);
      throw error;
    }
    module.loaded = true;
    return module.exports;
  }

  #evaluate(
    { evaluate }: CompiledFile & { kind: 'script' },
    module: CommonModule,
    file: string,
  ): void {
    const { filename, dirname } = seenPath(file);
    const importModule = (specifier: string) => this.import(String(specifier), file);
    const end = this.#begin(file);
    try {
      evaluate(...this.#world.globals).call(
        module.exports,
        module.exports,
        module.require,
        module,
        filename,
        dirname,
        importModule,
      );
    } finally {
      end();
    }
  }

  /** Returns the `require` of a file. */
  #requireIn(file: string): (specifier: string) => unknown {
    const load = (specifier: string) => {
      const resolved = resolveRequire(specifier, file);
      return 'builtin' in resolved
        ? this.#world.builtin(resolved.builtin)
        : this.#require(resolved.file);
    };
    const resolve = (specifier: string) => {
      const resolved = resolveRequire(specifier, file);
      return 'builtin' in resolved ? specifier : seenPath(resolved.file).filename;
    };
    return Object.assign(load, { resolve, cache: {}, extensions: {}, main: undefined });
  }

  /** Returns the namespace of an ES module that is required, as Node 20.19 and later do. */
  #requireModule(file: string): unknown {
    const module = this.#module(file);
    if (module.awaits())
      throw new Error(
        `loader: ${file} cannot be required, because it or a module that it imports awaits at its top level: import it`,
      );
    module.evaluate();
    return 'module.exports' in module.namespace
      ? module.namespace['module.exports']
      : module.namespace;
  }

  #requireShared(file: string): unknown {
    if (this.#shared.has(file)) return this.#shared.get(file);
    let exports = createRequire(file)(file);
    if (typeof exports === 'object' && exports !== null)
      exports = withoutMachineAccess(
        exports,
        this.#files.scopes.of(file).name!,
        this.#world.refusals,
      );
    this.#shared.set(file, exports);
    return exports;
  }

  /** Returns true if a file belongs to a package that all nodes share with the program. */
  #isReal(file: string): boolean {
    const { name } = this.#files.scopes.of(file);
    return name !== undefined && this.#isShared(name);
  }
}

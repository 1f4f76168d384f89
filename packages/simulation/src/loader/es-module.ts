// An ES module of one life of a node: its namespace, its imports, and its evaluation.

import type { CompiledFile } from './compiled-files.ts';

/** A module that an ES module imports. */
export interface Dependency {
  readonly namespace: object;
  /** The ES module behind it; undefined for CommonJS, JSON and built-in modules. */
  readonly module: EsModule | undefined;
  /** Evaluates a dependency that is not an ES module. */
  readonly evaluate: () => void;
}

/** The values that the body of a module uses besides its own. */
export interface ModuleEnvironment {
  readonly globals: readonly unknown[];
  readonly importModule: (specifier: string) => Promise<unknown>;
  readonly meta: object;
  /** Called when the evaluation of a file begins; the result is called at its end. */
  readonly begin: (file: string) => () => void;
}

/** A linked ES module. The graph creates it, links it, and then evaluates it once. */
export class EsModule {
  readonly file: string;
  readonly namespace: Record<string, unknown> = Object.create(null);
  readonly isAsync: boolean;
  dependencies: readonly Dependency[] = [];
  readonly #stars: readonly string[];
  readonly #imports: readonly string[];
  #body: Generator | AsyncGenerator | undefined;
  #begins: ModuleEnvironment['begin'] | undefined;
  #state: 'linked' | 'evaluating' | 'evaluated' = 'linked';
  #failure: { readonly error: unknown } | undefined;
  /** The evaluation by `evaluateAsync`; undefined if `evaluate` did it. */
  #pending: Promise<void> | undefined;
  /** The dependency whose evaluation this module awaits. */
  #waitsFor: EsModule | undefined;

  constructor(file: string, { imports, stars, isAsync }: CompiledFile & { kind: 'module' }) {
    this.file = file;
    this.isAsync = isAsync;
    this.#imports = imports;
    this.#stars = stars;
    Object.defineProperty(this.namespace, Symbol.toStringTag, { value: 'Module' });
  }

  /** Connects the module with its dependencies, in the order of its imports. */
  link(
    compiled: CompiledFile & { kind: 'module' },
    dependencies: readonly Dependency[],
    { globals, importModule, meta, begin }: ModuleEnvironment,
  ): void {
    this.dependencies = dependencies;
    const namespaces = dependencies.map(({ namespace }) => namespace);
    const create = compiled.evaluate(...globals);
    const body = create(
      (getters: object) => this.#export(getters),
      namespaces,
      importModule,
      meta,
    )();
    this.#body = body;
    this.#begins = begin;
    // The first step registers the exports; from here on, functions can be called.
    void body.next();
  }

  /** Adds the exports of `export * from`, as far as they are known already. */
  linkStars(): void {
    for (const star of this.#stars) {
      const { namespace } = this.dependencies[this.#imports.indexOf(star)]!;
      for (const name of Object.keys(namespace)) {
        if (name === 'default' || name in this.namespace) continue;
        const get = () => (namespace as Record<string, unknown>)[name];
        Object.defineProperty(this.namespace, name, { get, enumerable: true });
      }
    }
  }

  /** Makes each evaluation throw `error`, because the module could not be linked. */
  fail(error: unknown): void {
    this.#state = 'evaluated';
    this.#failure = { error };
  }

  /** Returns true if this module, or one that it imports, awaits at its top level. */
  awaits(): boolean {
    return this.some((module) => module.isAsync);
  }

  /** Returns true if `evaluateAsync` is evaluating this module, or one that it imports. */
  isUnderWay(): boolean {
    return this.some((module) => module.#state === 'evaluating' && module.#pending !== undefined);
  }

  private some(holds: (module: EsModule) => boolean, seen = new Set<EsModule>()): boolean {
    if (seen.has(this)) return false;
    seen.add(this);
    return holds(this) || this.dependencies.some(({ module }) => module?.some(holds, seen));
  }

  /**
   * Evaluates the module after all modules that it imports; none of them may await at its top
   * level. A module that is under way stays unevaluated, as in a cycle.
   */
  evaluate(): void {
    if (this.#begin()) {
      this.#guarded(() => {
        for (const { module, evaluate } of this.dependencies)
          if (module === undefined) evaluate();
          else module.evaluate();
        this.linkStars();
        const end = this.#begins!(this.file);
        try {
          void this.#body!.next();
        } finally {
          end();
        }
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Evaluates the module after all modules that it imports, one after the other. It does not wait
   * for a module that waits for it: in a cycle, or because of another import.
   */
  async evaluateAsync(): Promise<void> {
    if (this.#begin()) {
      this.#pending = (async () => {
        for (const { module, evaluate } of this.dependencies)
          if (module === undefined) evaluate();
          else await this.#waitFor(module);
        this.linkStars();
        const end = this.#begins!(this.file);
        try {
          await this.#body!.next();
        } finally {
          end();
        }
        this.#state = 'evaluated';
      })();
      this.#pending.catch((error: unknown) => this.fail(error));
    }
    await this.#pending;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #waitFor(module: EsModule): Promise<void> {
    for (let next: EsModule | undefined = module; next !== undefined; next = next.#waitsFor)
      if (next === this) return;
    this.#waitsFor = module;
    try {
      await module.evaluateAsync();
    } finally {
      this.#waitsFor = undefined;
    }
  }

  #begin(): boolean {
    const begins = this.#state === 'linked';
    if (begins) this.#state = 'evaluating';
    return begins;
  }

  #guarded(run: () => void): void {
    try {
      run();
      this.#state = 'evaluated';
    } catch (error) {
      this.fail(error);
    }
  }

  #export(getters: object): void {
    const descriptors = Object.entries(getters).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, get] of descriptors)
      Object.defineProperty(this.namespace, name, { get, enumerable: true });
  }
}

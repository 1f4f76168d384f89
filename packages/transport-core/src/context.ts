// The async context as a port: it carries the stores of AsyncLocalStorage, on which tracers and
// loggers rely. `#context` in package.json selects the implementation: `browser-context`, which has
// none, for browsers, and `system-context` elsewhere, which has none without AsyncResource.
// async-context.test.ts of the package trunkline tests it.

/**
 * The async contexts of a runtime. It is an interface because the files of rpc/, which use it, must
 * not import `system-context`, which implements it (scripts/lint/layers.grit).
 */
export interface Contexts {
  /** Captures the context in which a reader of calls is registered. */
  reader(): ReaderContext;
  /**
   * Captures the current context for the result of a handler: if it is an async iterable, or a
   * promise of one, its items are pulled in that context, whoever pulls them.
   */
  forItems(): (result: unknown) => unknown;
}

/**
 * Runs `work` in the context in which each call of a reader starts; the stores that it sets do not
 * stay there.
 */
export type ReaderContext = <A, B, C>(work: (a: A, b: B, c: C) => void, a: A, b: B, c: C) => void;

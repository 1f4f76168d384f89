// The files of loaded packages, each of which is read and compiled once, regardless of the number
// of nodes.

import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { compileFunction } from 'node:vm';
import { PackageScopes } from './resolution.ts';
import { isModuleSyntax, PARAMETERS, transformModule, transformScript } from './transform.ts';
import { GLOBALS } from './virtual-globals.ts';

/** A compiled file. `evaluate` takes the values of `GLOBALS` in order. */
export type CompiledFile =
  | { readonly kind: 'json'; readonly text: string }
  | {
      readonly kind: 'script';
      /**
       * Returns the function of a CommonJS module: exports, require, module, file, folder, import.
       */
      readonly evaluate: (...globals: readonly unknown[]) => (...args: readonly unknown[]) => void;
    }
  | {
      readonly kind: 'module';
      readonly imports: readonly string[];
      readonly stars: readonly string[];
      readonly isAsync: boolean;
      /** Returns the function of an ES module, as `transformModule` describes it. */
      readonly evaluate: (
        ...globals: readonly unknown[]
      ) => (...args: readonly unknown[]) => () => Generator | AsyncGenerator;
    };

/** Reads and compiles files, and keeps them until the loader is dropped. */
export class CompiledFiles {
  readonly scopes = new PackageScopes();
  readonly #files = new Map<string, CompiledFile>();

  /**
   * Returns a compiled file.
   *
   * @throws Error that names the file if it does not compile, or is a native addon or WebAssembly.
   * Node's error if the file cannot be read. The text of a JSON file is not parsed here.
   */
  get(file: string): CompiledFile {
    let compiled = this.#files.get(file);
    if (compiled === undefined) this.#files.set(file, (compiled = this.#compile(file)));
    return compiled;
  }

  /** Returns the innermost compiled file on the stack, whose code is being run. */
  running(): string | undefined {
    const { prepareStackTrace, stackTraceLimit } = Error;
    try {
      Error.stackTraceLimit = Number.POSITIVE_INFINITY;
      Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFileName());
      const files = new Error().stack as unknown as readonly (string | null)[];
      return files.find((file) => file !== null && this.#files.has(file)) ?? undefined;
    } finally {
      Object.assign(Error, { prepareStackTrace, stackTraceLimit });
    }
  }

  #compile(file: string): CompiledFile {
    const extension = extname(file);
    if (extension === '.node' || extension === '.wasm')
      throw new Error(
        `loader: ${file} is native code, whose time and randomness no simulation can replace: use a JavaScript version of it, such as memdown for leveldown`,
      );
    const source = readFileSync(file, 'utf8');
    if (extension === '.json') return { kind: 'json', text: source };
    try {
      return this.#isModule(file, extension, source)
        ? moduleOf(file, source)
        : scriptOf(file, source);
    } catch (error) {
      throw new Error(`loader: ${file} does not compile: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #isModule(file: string, extension: string, source: string): boolean {
    if (extension === '.mjs') return true;
    if (extension === '.cjs') return false;
    const { type } = this.scopes.of(file);
    return type === undefined ? isModuleSyntax(source) : type === 'module';
  }
}

function scriptOf(file: string, source: string): CompiledFile {
  // The code is in a separate function, because a module may declare names like those of the
  // globals.
  const code = `return function (exports, require, module, __filename, __dirname, ${PARAMETERS[2]}) { ${transformScript(source.replace(/^#!/, '//'))}\n}`;
  return {
    kind: 'script',
    evaluate: compileFunction(code, [...GLOBALS], { filename: file }) as never,
  };
}

function moduleOf(file: string, source: string): CompiledFile {
  const { code, imports, stars, isAsync } = transformModule(source);
  const outer = `return function (${PARAMETERS.join(', ')}) { ${code} }`;
  const evaluate = compileFunction(outer, [...GLOBALS], { filename: file }) as never;
  return { kind: 'module', imports, stars, isAsync, evaluate };
}

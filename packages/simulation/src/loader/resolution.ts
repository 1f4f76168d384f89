// The resolution of specifiers to files, by the rules of Node for `import` and for `require`.

import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { moduleResolve } from 'import-meta-resolve';
import { importable, machinePath } from './machine-paths.ts';

/** A built-in module of Node by its name without `node:`, or the path of a file. */
export type Resolved = { readonly builtin: string } | { readonly file: string };

/** Resolves a specifier of `import` in a file. Throws Node's error if there is no such module. */
export function resolveImport(specifier: string, parent: string): Resolved {
  if (isBuiltin(specifier)) return { builtin: withoutScheme(specifier) };
  const url = moduleResolve(importable(specifier), pathToFileURL(parent), IMPORT_CONDITIONS);
  if (url.protocol === 'file:') return { file: machinePath(url) };
  if (url.protocol === 'node:') return { builtin: withoutScheme(url.href) };
  throw new TypeError(
    `loader: cannot load '${specifier}' for ${parent}: only files and built-in modules can be loaded, got ${url.protocol}`,
  );
}

/** Resolves a specifier of `require` in a file. Throws Node's error if there is no such module. */
export function resolveRequire(specifier: string, parent: string): Resolved {
  if (isBuiltin(specifier)) return { builtin: withoutScheme(specifier) };
  return {
    file: machinePath(
      createRequire(parent).resolve(isAbsolute(specifier) ? machinePath(specifier) : specifier),
    ),
  };
}

/** The part of a package.json that loading needs. */
export interface PackageScope {
  /**
   * The name in the nearest package.json; below `node_modules`, in the nearest one that has a name.
   */
  readonly name: string | undefined;
  /** The folder of the package.json. */
  readonly folder: string;
  readonly type: 'module' | 'commonjs' | undefined;
}

/** Finds the package that a file belongs to, and caches the result for its folder. */
export class PackageScopes {
  readonly #byFolder = new Map<string, PackageScope>();

  of(file: string): PackageScope {
    return this.#ofFolder(dirname(file));
  }

  #ofFolder(folder: string): PackageScope {
    let scope = this.#byFolder.get(folder);
    if (scope === undefined) this.#byFolder.set(folder, (scope = this.#find(folder)));
    return scope;
  }

  #find(folder: string): PackageScope {
    const parent = dirname(folder);
    try {
      const { name, type } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      // A folder of a package may have a package.json of its own that says only the type.
      const isPart = name === undefined && /[\\/]node_modules[\\/](?!.*node_modules$)/.test(parent);
      return { name: isPart ? this.#ofFolder(parent).name : name, folder, type };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    if (parent === folder) return { name: undefined, folder, type: undefined };
    return this.#ofFolder(parent);
  }
}

function withoutScheme(name: string): string {
  return name.replace(/^node:/, '');
}

const IMPORT_CONDITIONS = new Set(['node', 'import', 'module-sync']);

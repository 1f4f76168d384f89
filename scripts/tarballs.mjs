// Installs the tarballs of packages into a folder, as npm would.

import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, run } from './workspace.mjs';

/**
 * Unpacks the tarball of a package into `node_modules`. The dependencies that are not ours come
 * from the workspace. Returns the package's manifest.
 *
 * @param folder the folder that gets `node_modules`.
 * @param tarballs the folder with the tarballs of all packages.
 * @param name the package's folder below `packages`.
 */
export async function install(folder, tarballs, name) {
  const { name: full } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json')));
  const begin = `${full.replace('@', '').replace('/', '-')}-`;
  const tarball = readdirSync(tarballs).find(
    (file) => file.startsWith(begin) && /^\d/.test(file.slice(begin.length)),
  );
  const target = join(folder, 'node_modules', full);
  mkdirSync(target, { recursive: true });
  await run('tar', ['-xzf', join(tarballs, tarball), '-C', target, '--strip-components=1']);
  const manifest = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(manifest.dependencies ?? {}))
    if (!isOurs(dependency)) linkDependency(folder, name, dependency);
  return manifest;
}

/** Links a dependency of a package, as the workspace has it, into `node_modules`. */
export function linkDependency(folder, name, dependency) {
  const path = join(folder, 'node_modules', dependency);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(join(root, 'packages', name, 'node_modules', dependency), path);
}

/** Returns true for the name of a package of the project. */
export function isOurs(name) {
  return name === 'trunkline' || name.startsWith('@trunkline/');
}

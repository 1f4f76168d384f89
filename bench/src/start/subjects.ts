// The subjects that are loaded: each public package by its main entry, other modules that programs
// load, and nothing at all.

import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export interface Subject {
  /** The name in the table. */
  readonly name: string;
  /** URLs of modules, in loading order. */
  readonly modules: readonly string[];
}

/** Bare Node, which all others are compared with. */
export const BARE = 'bare Node';
/** The subjects that have a bar. */
export const CORE_AND_TCP = 'core + tcp';
export const TRUNKLINE = 'trunkline';

/** Returns all subjects, `BARE` first. */
export function subjects(): Subject[] {
  const packages = readdirSync(PACKAGES)
    // The testkit is for the tests of a backend; no program loads it.
    .filter((folder) => folder !== 'transport-testkit')
    .sort();
  const core = ['transport-core', 'transport-tcp'];
  return [
    { name: BARE, modules: [] },
    loading(CORE_AND_TCP, ...core),
    ...packages.map((folder) => loading(folder, folder)),
    loading('security/noise', 'security/noise'),
    loading('core + tcp + noise + peers + gossip', ...core, 'security/noise', 'peers', 'gossip'),
  ];
}

/** @param entries each is a folder of a package, and its entry if it is not the main one. */
function loading(name: string, ...entries: readonly string[]): Subject {
  const modules = entries.map((entry) => {
    const { resolve } = createRequire(new URL(`${entry.split('/')[0]}/package.json`, PACKAGES));
    return pathToFileURL(resolve(entry === TRUNKLINE ? entry : `@trunkline/${entry}`)).href;
  });
  return { name, modules };
}

const PACKAGES = new URL('../../../packages/', import.meta.url);

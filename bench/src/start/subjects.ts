// The subjects that are loaded: each public package by its main entry, other modules that programs
// load, and nothing at all.

import { readdirSync, readFileSync } from 'node:fs';

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
  const core = entryOf('transport-core');
  return [
    { name: BARE, modules: [] },
    { name: CORE_AND_TCP, modules: [core, entryOf('transport-tcp')] },
    ...packages.map((folder) => ({ name: folder, modules: [entryOf(folder)] })),
    { name: 'security/noise', modules: [entryOf('security', './noise')] },
    {
      name: 'core + tcp + noise + peers + gossip',
      modules: [
        entryOf('transport-core'),
        entryOf('transport-tcp'),
        entryOf('security', './noise'),
        entryOf('peers'),
        entryOf('gossip'),
      ],
    },
  ];
}

function entryOf(folder: string, entry = '.'): string {
  const { exports } = JSON.parse(
    readFileSync(new URL(`${folder}/package.json`, PACKAGES), 'utf8'),
  ) as {
    exports: Record<string, { node?: string; default: string }>;
  };
  const { node, default: otherwise } = exports[entry]!;
  return new URL(`${folder}/${node ?? otherwise}`, PACKAGES).href;
}

const PACKAGES = new URL('../../../packages/', import.meta.url);

// Lists the texts that the tests check, and resolves paths in the repository.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every text for readers, by its path from the root. */
export const texts: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  'evaluation/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...['packages', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`),
  ),
];

// Lists the texts that the tests check, and resolves paths in the repository.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
  ...['docs', 'docs/recipes', 'docs/migration'].flatMap(markdownIn),
  ...['packages', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`),
  ),
];

/** Returns the Markdown files of a folder, by their paths from the root. */
function markdownIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}

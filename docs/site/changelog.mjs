// Makes the page of changes from the changesets that are not released yet, and from the changelog
// of each package.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packages, root } from './pages.mjs';

const KINDS = ['major', 'minor', 'patch'];
const TITLES = {
  major: 'Changes that break programs',
  minor: 'New features',
  patch: 'Corrections and speed',
};

/** Returns the page in Markdown. */
export function changelog() {
  const notes = readdirSync(join(root, '.changeset'))
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .sort()
    .map(readNote);
  const lines = [
    '# Changelog',
    '',
    'This page lists the changes of each release, and those that are not released yet.',
    '',
    '## Not released yet',
  ];
  for (const kind of KINDS) {
    const own = notes.filter((note) => note.kind === kind);
    if (own.length > 0) lines.push('', `### ${TITLES[kind]}`);
    for (const { packages: names, text } of own)
      lines.push('', `**${names.map((name) => `\`${name}\``).join(', ')}**`, '', text);
  }
  for (const name of packages) {
    const path = join(root, 'packages', name, 'CHANGELOG.md');
    if (existsSync(path)) lines.push('', readFileSync(path, 'utf8').replace(/^#/gm, '##').trim());
  }
  return [
    ...lines,
    '',
    '**Next:** [how a change gets its note](../CONTRIBUTING.md#changes), and [limitations](../docs/limitations.md).',
    '',
  ].join('\n');
}

/** Reads a changeset: the packages that it names, the strongest kind of change, and its text. */
function readNote(name) {
  const text = readFileSync(join(root, '.changeset', name), 'utf8');
  const [, head, body] = /^---\n([\s\S]*?)\n?---\n([\s\S]*)$/.exec(text) ?? [];
  if (head === undefined) throw new Error(`.changeset/${name} has no list of packages`);
  const changes = [...head.matchAll(/^['"]?([^'"\n]+?)['"]?: (major|minor|patch)$/gm)];
  const kinds = changes.map(([, , kind]) => kind);
  return {
    packages: changes.map(([, each]) => each),
    kind: KINDS.find((kind) => kinds.includes(kind)) ?? 'patch',
    text: body.trim().replace(/^#+ (.*)$/gm, '**$1**'),
  };
}

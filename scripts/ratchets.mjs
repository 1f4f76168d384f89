// Figures of the repository that may fall but not rise: code lines, files and exported names of
// each package, words of the documents, sizes of bundles, and the files that a call enters.
// ratchets.txt holds their limits, one in a line, and says how to raise one.
//
//   node scripts/ratchets.mjs           prints each figure that is above its limit
//   node scripts/ratchets.mjs --write   lowers the limits to the figures, and adds new ones
//
// check.mjs adds the sizes of bundles, which it builds, and fails if a figure is above its limit.
// With --write, it lowers the limits, too.

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callPath } from './call-path.mjs';
import { baseCommit, filesBelow, git, published, root, shippedSources } from './workspace.mjs';

const FILE = 'scripts/ratchets.txt';

/** Returns all figures but the sizes of bundles, as pairs of a name and a number. */
export async function figures() {
  // A timer of the transport may enter a file in between; it does not do so in each of three calls.
  const paths = [await callPath(), await callPath(), await callPath()];
  const fewest = (way) => Math.min(...paths.map((path) => path[way].length));
  return [
    ...published.flatMap((folder) => {
      const name = basename(folder);
      const sources = shippedSources(folder);
      return [
        [`${name}, code lines`, codeLines(textOf(sources))],
        [`${name}, files`, sources.length],
        [`${name}, exported names`, exportedNames(name)],
      ];
    }),
    ['words of the documents', words()],
    ['files that a call enters on its way out', fewest('out')],
    ['files that a call enters on its way in', fewest('in')],
  ];
}

/**
 * Compares figures with their limits. Returns a list of flaws: figures without a limit or above it,
 * and limits that this branch has raised without a reason.
 */
export function compare(all) {
  const limits = readLimits(readFileSync(join(root, FILE), 'utf8'));
  const before = readLimits(git('show', `${baseCommit()}:${FILE}`));
  const flaws = [];
  for (const [name, value] of all) {
    const limit = limits.get(name)?.limit;
    if (limit === undefined) flaws.push(`${name}: ${value}; it has no limit in ${FILE}`);
    else if (value > limit) flaws.push(`${name}: ${value}, above its limit of ${limit} in ${FILE}`);
  }
  for (const [name, { limit, reasons }] of limits) {
    const old = before.get(name);
    if (limit > old?.limit && reasons.length <= old.reasons.length)
      flaws.push(
        `${name}: its limit rose from ${old.limit} to ${limit} without a reason in ${FILE}`,
      );
  }
  return flaws;
}

/** Lowers the limits to the figures, and adds limits for new figures. */
export function lower(all) {
  const path = join(root, FILE);
  let text = readFileSync(path, 'utf8');
  const limits = readLimits(text);
  for (const [name, value] of all) {
    const limit = limits.get(name)?.limit;
    if (limit === undefined) text += `${name}: ${value}\n`;
    else if (value < limit) text = text.replace(`\n${name}: ${limit}\n`, `\n${name}: ${value}\n`);
  }
  writeFileSync(path, text);
}

/** Returns the number of lines that are neither blank nor only a comment. */
function codeLines(text) {
  const code = text.replace(/^[ \t]*\/\*[\s\S]*?\*\/.*$/gm, '');
  return code.match(/^[ \t]*(?!\/\/)\S/gm).length;
}

/** Returns the number of names in the reports of a package's entries in api/. */
function exportedNames(name) {
  const reports = filesBelow(join(root, 'api')).filter((file) => file.startsWith(`${name}.`));
  const text = textOf(reports.map((file) => join(root, 'api', file)));
  return (text.match(/^export (?!\* |\{)|^ {4}\w+,?$/gm) ?? []).length;
}

/** Returns the words of the Markdown files of people: not those of api/ and of changesets. */
function words() {
  const files = git('ls-files', '*.md').split('\n');
  const own = files.filter((file) => !/^(api|\.changeset)\//.test(file));
  return textOf(own.map((file) => join(root, file))).match(/\S+/g).length;
}

const textOf = (files) => files.map((file) => readFileSync(file, 'utf8')).join('\n');

/** Returns the limits by name, each with the reasons for which it was raised. */
function readLimits(text) {
  const lines = text.matchAll(/^([^#\s].*): ([\d.]+)((?:\n {2}\S.*)*)$/gm);
  return new Map(
    Array.from(lines, ([, name, limit, reasons]) => [
      name,
      { limit: Number(limit), reasons: reasons.split('\n').slice(1) },
    ]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = await figures();
  if (process.argv.includes('--write')) lower(all);
  for (const flaw of compare(all)) console.log(flaw);
}

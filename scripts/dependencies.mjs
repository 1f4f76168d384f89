// Writes the table of production dependencies in docs/security.md, and finds dependencies that have
// a license other than those below, or run a script when they are installed. Run by hand after a
// dependency has changed; check.mjs only compares the table.

import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { published, root } from './workspace.mjs';

/** Licenses that ask users only for attribution. */
const LICENSES = 'MIT 0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause ISC Unlicense'.split(' ');
const PAGE = join(root, 'docs/security.md');
const TABLE = /(<!-- dependencies: .* -->\n)[\s\S]*?(<!-- \/dependencies -->\n)/;

/** Returns a line for each problem. */
export function flawsOfDependencies() {
  const flaws = [];
  const judge = (what, { license, scripts = {} }) => {
    if (!LICENSES.includes(license)) flaws.push(`${what} has the license '${license}'`);
    for (const name of ['preinstall', 'install', 'postinstall'])
      if (scripts[name] !== undefined) flaws.push(`${what} runs ${name} when it is installed`);
  };
  for (const folder of published) {
    judge(folder, manifestOf(join(root, folder)));
    for (const each of dependenciesOf(folder)) judge(each.name, each);
  }
  const page = readFileSync(PAGE, 'utf8');
  if (!TABLE.test(page)) flaws.push('docs/security.md has no table of dependencies');
  if (renewed(page) !== page)
    flaws.push('the table in docs/security.md is old: run node scripts/dependencies.mjs');
  return flaws;
}

/** Returns the manifests of all packages that are installed with one of ours, sorted by name. */
function dependenciesOf(ours) {
  const found = new Map();
  const visit = (folder) => {
    const { dependencies, optionalDependencies } = manifestOf(folder);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (name.startsWith('@trunkline/') || name === 'trunkline') continue;
      const place = placeOf(folder, name);
      if (found.has(place)) continue;
      found.set(place, manifestOf(place));
      visit(place);
    }
  };
  visit(join(root, ours));
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Returns the page with the current table. */
function renewed(page) {
  const rows = published.flatMap((folder) => {
    const all = dependenciesOf(folder).map(({ name, version, license }) => {
      const other = license === 'MIT' ? '' : ` (${license})`;
      return `\`${name}\` ${version}${other}`;
    });
    return all.length === 0 ? [] : [`| ${basename(folder)} | ${all.join(', ')} |\n`];
  });
  const table = `| package | adds |\n|---|---|\n${rows.join('')}`;
  return page.replace(TABLE, (_, begin, end) => begin + table + end);
}

/** Finds the folder of a dependency. A missing one is an error, even if it is optional. */
function placeOf(folder, name) {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return realpathSync(place);
  }
  throw new Error(`${name}, which ${folder} depends on, is not installed: run pnpm install`);
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PAGE, renewed(readFileSync(PAGE, 'utf8')));

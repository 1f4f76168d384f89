// Writes the table of production dependencies in docs/security.md; with --check, only compares it.
// Fails if a dependency has a license that is not in the list below, or runs a script when it is
// installed. Run by check.mjs, and by hand after a dependency has changed.

import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, exit } from 'node:process';
import { pathToFileURL } from 'node:url';
import { root } from './workspace.mjs';

/** Licenses that ask users only for attribution. */
const LICENSES = new Set([
  'MIT',
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'Unlicense',
]);
/** The scripts that npm runs while it installs a package. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];
const PAGE = join(root, 'docs/security.md');
const BEGIN = '<!-- dependencies: written by scripts/dependencies.mjs -->';
const END = '<!-- /dependencies -->';

/**
 * Returns every package that is installed with one of ours, sorted by name, with its version, its
 * license, and the packages of ours that bring it.
 */
export function productionDependencies() {
  const found = new Map();
  const visit = (folder, owner, isOurs) => {
    const manifest = read(folder);
    if (!isOurs) {
      const key = `${manifest.name}@${manifest.version}`;
      const entry = found.get(key) ?? {
        name: manifest.name,
        version: manifest.version,
        license: licenseOf(manifest),
        scripts: scriptsOf(manifest),
        owners: new Set(),
      };
      if (entry.owners.has(owner)) return;
      entry.owners.add(owner);
      found.set(key, entry);
    }
    for (const name of Object.keys({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
    })) {
      if (name.startsWith('@trunkline/') || name === 'trunkline') continue;
      visit(resolve(folder, name), owner, false);
    }
  };
  for (const folder of readdirSync(join(root, 'packages')).sort())
    visit(join(root, 'packages', folder), folder, true);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Returns a line for each script that npm would run while it installs a package of ours. */
export function ownFlaws() {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const scripts = scriptsOf(read(join(root, 'packages', folder)));
    return scripts.map((script) => `packages/${folder} runs ${script} when it is installed`);
  });
}

/** Returns a line for each problem of the dependencies. */
export function flaws(dependencies) {
  return dependencies.flatMap(({ name, version, license, scripts }) => [
    ...(LICENSES.has(license)
      ? []
      : [
          `${name}@${version} has the license '${license}', which is not in the list of scripts/dependencies.mjs`,
        ]),
    ...(scripts.length === 0
      ? []
      : [`${name}@${version} runs ${scripts.join(', ')} when it is installed`]),
  ]);
}

/** Returns the page with the current table. */
export function renewed(page, dependencies) {
  const [before, rest] = page.split(`${BEGIN}\n`);
  const after = rest?.split(`${END}\n`)[1];
  if (after === undefined) throw new Error(`docs/security.md has no '${BEGIN}' and '${END}'`);
  const rows = [...new Set(dependencies.flatMap(({ owners }) => [...owners]))]
    .sort()
    .map((owner) => {
      const brought = dependencies
        .filter(({ owners }) => owners.has(owner))
        .map(({ name, version, license }) => {
          const other = license === 'MIT' ? '' : ` (${license})`;
          return `\`${name}\` ${version}${other}`;
        });
      return `| ${owner} | ${brought.join(', ')} |`;
    });
  return `${before}${BEGIN}\n${['| package | adds |', '|---|---|', ...rows].join('\n')}\n${END}\n${after}`;
}

/**
 * Finds the folder of a dependency. A missing one is an error, even if it is optional, because the
 * table must not omit it.
 */
function resolve(folder, name) {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return realpathSync(place);
  }
  throw new Error(`${name}, which ${folder} depends on, is not installed: run pnpm install`);
}

function read(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function licenseOf({ license }) {
  return typeof license === 'string' ? license : (license?.type ?? 'none');
}

function scriptsOf({ scripts = {} }) {
  return INSTALL_SCRIPTS.filter((name) => scripts[name] !== undefined);
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const dependencies = productionDependencies();
  const wrong = [...ownFlaws(), ...flaws(dependencies)];
  const page = readFileSync(PAGE, 'utf8');
  const next = renewed(page, dependencies);
  if (argv.includes('--check')) {
    if (next !== page)
      wrong.push(
        'the table in docs/security.md is not as it would be written: run node scripts/dependencies.mjs',
      );
  } else writeFileSync(PAGE, next);
  for (const line of wrong) console.error(`dependencies: ${line}`);
  exit(wrong.length === 0 ? 0 : 1);
}

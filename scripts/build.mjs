// Builds every package with `tsc -b`. Because tsc leaves the output of deleted sources behind,
// stale output is removed first; otherwise a deleted test would go on running. Then bundles some
// packages into one file each, which Node loads faster, and the pages of packages and of an
// example. Run by `pnpm build`, and first by every other script of package.json.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { buildPages } from './pages.mjs';
import { filesBelow, manifestOf, packages, root, runTool, tools } from './workspace.mjs';

/**
 * The packages that Node loads as one file, with the entries that share it: all that `trunkline`
 * loads. Core's modules would take three times as long.
 */
const BUNDLED = [
  ['transport-core', 'index', 'index.backend', 'index.internal', 'index.protobuf', 'index.testing'],
  ['transport-core', 'index.node'],
  ['transport-tcp', 'index', 'index.layer'],
  ['transport-ws', 'index', 'index.layer'],
  ['transport-inmem', 'index', 'index.layer'],
  ['resilience', 'index.health'],
  ['trunkline', 'index'],
];

/** Options of esbuild for all files. */
const COMMON = { format: 'esm', target: 'es2022', logLevel: 'error' };

for (const folder of packages)
  for (const file of filesBelow(join(root, folder, 'dist'))) {
    const [, name] = /^(?!bundle\b)(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(file) ?? [];
    const sources = ['.ts', '.js', '.d.ts'].map((end) => join(root, folder, 'src', name + end));
    if (name !== undefined && !sources.some((source) => existsSync(source)))
      rmSync(join(root, folder, 'dist', file));
  }

writeVersion();

console.log(`Building ${packages.length} packages`);
// One checker for each project, because several would check the types that they share several
// times.
const { code } = await runTool(tools.tsc, ['-b', '--checkers', '1', ...process.argv.slice(2)]);
process.exitCode = code;
if (code === 0) {
  await Promise.all([...BUNDLED.map((bundle) => bundleForNode(...bundle)), bundlePage()]);
  await buildPages();
}

/** Writes the version of core, which snapshots contain, from its manifest. */
function writeVersion() {
  const core = join(root, 'packages/transport-core');
  const { version } = manifestOf(core);
  const file = join(core, 'src/version.ts');
  const before = readFileSync(file, 'utf8');
  const after = before.replace(/'.*'/, `'${version}'`);
  if (after !== before) writeFileSync(file, after);
}

/**
 * Builds the files that the exports of a package give Node: one file for each entry, without the
 * modules of other packages. Bundlers for pages get the modules instead, so that they can leave out
 * what a page does not use.
 */
async function bundleForNode(folder, ...names) {
  const dist = join(root, 'packages', folder, 'dist');
  const [first] = names;
  if (names.length === 1)
    return writeBundle(dist, first, { entryPoints: [join(dist, `${first}.js`)] });
  // Several entries share one file, so that there is one copy of each class, and re-export their
  // names from there.
  const contents = names.map((name) => `export * from './${name}.js';`).join('\n');
  await writeBundle(dist, 'all', { stdin: { contents, resolveDir: dist } });
  for (const name of names) {
    const exported = Object.keys(await import(pathToFileURL(join(dist, `${name}.js`))));
    const list = exported.map((value) => `  ${value},\n`).join('');
    writeFileSync(join(dist, `bundle/${name}.js`), `export {\n${list}} from './all.js';\n`);
  }
}

/**
 * Writes `dist/bundle/<name>.js`. The imports of other packages stay as they are, and so does
 * '#backends', which other entries import, too.
 */
async function writeBundle(dist, name, entry) {
  const outfile = join(dist, `bundle/${name}.js`);
  const bundle = await build({
    ...entry,
    outfile,
    write: false,
    bundle: true,
    packages: 'external',
    external: ['#backends'],
    platform: 'node',
    minifyWhitespace: true,
    sourcemap: 'inline',
    ...COMMON,
  });
  // Printed once more, so that it has lines but no comments. V8 keeps the source in its heap, and
  // at two bytes for each character if any of them, even in a comment, is not in Latin-1.
  await build({
    stdin: { contents: bundle.outputFiles[0].text, resolveDir: join(dist, 'bundle') },
    outfile,
    sourcemap: true,
    sourcesContent: false,
    platform: 'node',
    ...COMMON,
  });
}

/** Bundles the page of examples/browser-mesh. */
async function bundlePage() {
  const dist = join(root, 'examples/browser-mesh/dist');
  await build({
    entryPoints: [join(dist, 'page/main.js')],
    outfile: join(dist, 'bundle/page.js'),
    bundle: true,
    minify: true,
    platform: 'browser',
    ...COMMON,
  });
}

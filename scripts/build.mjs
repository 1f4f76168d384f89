// Builds every package with `tsc -b`. Because tsc leaves the output of deleted sources behind,
// stale output is removed first; otherwise a deleted test would go on running. Then bundles some
// packages into one file each, which Node loads faster, and the pages of packages and of an
// example. Run by `pnpm build`, and first by every other script of package.json.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
/**
 * Those for a file that Node loads. The imports of other packages stay as they are, and so does
 * '#backends', which other entries import, too.
 */
const NODE_BUNDLE = {
  ...COMMON,
  bundle: true,
  packages: 'external',
  external: ['#backends'],
  platform: 'node',
};

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
process.exitCode = (
  await runTool(tools.tsc, ['-b', '--checkers', '1', ...process.argv.slice(2)])
).code;
if (process.exitCode === 0) {
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
async function bundleForNode(folder, name, ...others) {
  const dist = join(root, 'packages', folder, 'dist');
  if (others.length === 0)
    return writeBundle(dist, name, { entryPoints: [join(dist, `${name}.js`)] });
  // Several entries share one file, so that there is one copy of each class, and re-export their
  // names from there.
  const names = [name, ...others];
  const contents = names.map((each) => `export * from './${each}.js';`).join('\n');
  await writeBundle(dist, 'all', { stdin: { contents, resolveDir: dist } });
  for (const each of names) {
    const { metafile } = await build({
      entryPoints: [join(dist, `${each}.js`)],
      write: false,
      metafile: true,
      ...NODE_BUNDLE,
    });
    const [{ exports }] = Object.values(metafile.outputs);
    writeFileSync(
      join(dist, `bundle/${each}.js`),
      `export {\n${exports.map((value) => `  ${value},\n`).join('')}} from './all.js';\n`,
    );
  }
}

/** Writes `dist/bundle/<name>.js`. */
async function writeBundle(dist, name, entry) {
  const outfile = join(dist, `bundle/${name}.js`);
  const bundle = await build({
    ...entry,
    outfile,
    write: false,
    minifyWhitespace: true,
    sourcemap: 'inline',
    ...NODE_BUNDLE,
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

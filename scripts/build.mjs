// Builds every package with `tsc -b`. Because tsc leaves the output of deleted sources behind,
// stale output is removed first; otherwise a deleted test would go on running. Then bundles core's
// modules into one file, which Node loads in a third of the time, and the pages of packages and of
// an example. Run by `pnpm build`, and first by every other script of package.json.

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildPages } from './pages.mjs';
import { filesBelow, packages, root, runTool, tools } from './workspace.mjs';

for (const folder of packages) {
  for (const file of filesBelow(join(root, folder, 'dist'))) {
    const name = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '');
    const stale =
      name !== file &&
      !name.startsWith(join('bundle', '')) &&
      !['.ts', '.js', '.d.ts'].some((extension) =>
        existsSync(join(root, folder, 'src', name + extension)),
      );
    if (stale) rmSync(join(root, folder, 'dist', file));
  }
}

console.log(`Building ${packages.length} packages`);
// One checker for each project, because several would check the types that they share several
// times.
process.exitCode = (
  await runTool(tools.tsc, ['-b', '--checkers', '1', ...process.argv.slice(2)])
).code;
if (process.exitCode === 0) {
  await Promise.all([bundleCore(), bundlePage()]);
  await buildPages();
}

/**
 * Builds the files that core's exports give Node: `all.js` with all code, and for each entry a file
 * that re-exports its names from there. So the entries share one copy of each class, and loading
 * the main one takes two files. Bundlers get the modules instead, so that they can leave out what a
 * page does not use.
 */
async function bundleCore() {
  const dist = join(root, 'packages/transport-core/dist');
  const options = {
    bundle: true,
    packages: 'external',
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  };
  const names = ['', '.backend', '.internal', '.protobuf', '.testing'].map(
    (name) => `index${name}`,
  );
  const all = names.map((name) => `export * from './${name}.js';`).join('\n');
  const outfile = join(dist, 'bundle/all.js');
  const bundle = await build({
    stdin: { contents: all, resolveDir: dist },
    outfile,
    write: false,
    minifyWhitespace: true,
    sourcemap: 'inline',
    ...options,
  });
  // Printed once more, so that it has lines but no comments. V8 keeps the source in its heap, and
  // at two bytes for each character if any of them, even in a comment, is not in Latin-1.
  await build({
    stdin: { contents: bundle.outputFiles[0].text, resolveDir: join(dist, 'bundle') },
    outfile,
    sourcemap: true,
    sourcesContent: false,
    ...options,
    bundle: false,
    packages: undefined,
  });
  for (const name of names) {
    const { metafile } = await build({
      entryPoints: [join(dist, `${name}.js`)],
      write: false,
      metafile: true,
      ...options,
    });
    const [{ exports }] = Object.values(metafile.outputs);
    writeFileSync(
      join(dist, `bundle/${name}.js`),
      `export {\n${exports.map((value) => `  ${value},\n`).join('')}} from './all.js';\n`,
    );
  }
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
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
}

// Builds every package with `tsc -b`. Because tsc leaves the output of deleted sources behind,
// stale output is removed first; otherwise a deleted test would go on running. Then bundles core
// into one file, which Node loads in a third of the time. Run by `pnpm build`, and first by every
// other script of package.json.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { filesBelow, packages, root, runTool, tools } from './workspace.mjs';

for (const folder of packages) {
  for (const file of filesBelow(join(root, folder, 'dist'))) {
    const name = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '');
    const stale =
      name !== file &&
      name !== 'bundle' &&
      !['.ts', '.js', '.d.ts'].some((extension) =>
        existsSync(join(root, folder, 'src', name + extension)),
      );
    if (stale) rmSync(join(root, folder, 'dist', file));
  }
}

console.log(`Building ${packages.length} packages`);
process.exitCode = (await runTool(tools.tsc, ['-b', ...process.argv.slice(2)])).code;
if (process.exitCode === 0) await bundleCore();

/**
 * Builds the file that core's exports give Node. Bundlers get the modules instead, so that they can
 * leave out what a page does not use.
 */
async function bundleCore() {
  const dist = join(root, 'packages/transport-core/dist');
  const options = {
    bundle: true,
    packages: 'external',
    format: 'esm',
    target: 'es2022',
    sourcemap: true,
    logLevel: 'error',
  };
  await build({
    entryPoints: [join(dist, 'index.js')],
    outfile: join(dist, 'bundle.js'),
    ...options,
  });
}

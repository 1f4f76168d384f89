// Builds every package with `tsc -b`, which leaves the output of a deleted source behind: that goes first, or a deleted
// test would run on for ever.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, packages, root, runTool, tools } from './workspace.mjs';

for (const folder of packages) {
  for (const file of filesBelow(join(root, folder, 'dist'))) {
    const name = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '');
    const stale = name !== file && !['.ts', '.js', '.d.ts'].some((extension) => existsSync(join(root, folder, 'src', name + extension)));
    if (stale) rmSync(join(root, folder, 'dist', file));
  }
}

process.exitCode = (await runTool(tools.tsc, ['-b', ...process.argv.slice(2)])).code;

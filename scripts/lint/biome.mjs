// Writes the `overrides` of biome.json from the table in layers.mjs; with `--check`, fails if they
// differ. The rest of biome.json is written by hand. Run by check.mjs, and by hand after a change
// of the table.
//
//   node scripts/lint/biome.mjs [--check]

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { root, runTool, tools } from '../workspace.mjs';
import { overrides } from './layers.mjs';

const path = join(root, 'biome.json');
const config = JSON.parse(readFileSync(path, 'utf8'));
const { deniedGlobals } = config.linter.rules.style.noRestrictedGlobals.options;
const wanted = overrides(deniedGlobals);

if (isDeepStrictEqual(config.overrides, wanted)) console.log('biome.json is up to date');
else if (process.argv.includes('--check')) {
  console.error('biome.json is not what layers.mjs says: run node scripts/lint/biome.mjs');
  process.exitCode = 1;
} else {
  writeFileSync(path, JSON.stringify({ ...config, overrides: wanted }, null, 2));
  await runTool(tools.biome, ['format', '--write', 'biome.json']);
  console.log('biome.json is renewed');
}

// Packs all packages into tarballs in a folder, and prints the path of each. Run by
// `pnpm pack:all <folder>`, after a build.

import process from 'node:process';
import { pnpm } from './workspace.mjs';

const args = ['pack', '--json', '--pack-destination', ...process.argv.slice(2)];
const { code, output } = await pnpm(args, { capture: 'stdout' });
if (code === 0) for (const { filename } of JSON.parse(output)) console.log(filename);
else console.error(output);
process.exitCode = code;

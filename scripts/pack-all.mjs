// Packs all packages into tarballs, to install them before they are on npm. Run by `pnpm pack:all
// FOLDER`, after a build.

import { mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { pack } from './workspace.mjs';

const [given] = process.argv.slice(2);
if (given === undefined) {
  console.error(
    'pack-all.mjs: name the folder for the tarballs: pnpm pack:all ../trunkline-packages',
  );
  process.exitCode = 2;
} else {
  const folder = resolve(process.env.INIT_CWD ?? process.cwd(), given);
  mkdirSync(folder, { recursive: true });
  const { code, output } = await pack(folder);
  if (code !== 0) console.error(output);
  else console.log(`${readdirSync(folder).length} tarballs are in ${folder}`);
  process.exitCode = code;
}

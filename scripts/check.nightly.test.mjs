// Tests the lint and compiler rules: plants a violation of each rule in a copy of the tree, and
// expects the check to name the rule. Run by `test workspace`.

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import test from 'ava';
import {
  manifestOf,
  packages,
  published,
  root,
  runTool,
  shippedSources,
  tools,
} from './workspace.mjs';

const core = 'packages/transport-core/src';
const gossip = 'packages/gossip/src';
const peers = 'packages/peers/src';

/** The layers of packages, lowest first. None may import the next one. */
const LAYERS = {
  [core]: 'protocol wire session rpc stream transport node',
  [gossip]: 'messages hyparview plumtree overlay wire signatures discovery topics relay driver',
};
/** The folders of peers that import no other folder, and some of those that import no driver. */
const ALONE = ['address', 'dialing', 'nat', 'status', 'store', 'trust'];

/** Imports that a layer must not have: a folder, and what it imports. */
const layerBreaches = [
  ...Object.entries(LAYERS).flatMap(([source, names]) => {
    const [lowest, ...above] = names.split(' ');
    return above.map((name, at) => [`${source}/${above[at - 1] ?? lowest}`, `../${name}/a.ts`]);
  }),
  ...ALONE.map((folder) => [`${peers}/${folder}`, '../book/a.ts']),
  ...['admission', 'book', 'exchange'].map((folder) => [`${peers}/${folder}`, '../driver/a.ts']),
  [core, './protocol/codec.ts'],
  [`${core}/session/caller`, '../../rpc/a.ts'],
  [`${core}/node`, '../remote.ts'],
].map(([folder, path]) => [
  `${folder}/planted-layer.ts`,
  `import type { A } from '${path}';\nexport type B = A;\n`,
  /plugin.*its own layer or a lower one/,
]);

/** Violations that Biome must find: a file, its text, and the rule with a word of its message. */
// biome-ignore format: one breach a line
const lintBreaches = [
  ...layerBreaches,
  [`${peers}/book/planted-root.ts`, "import type { A } from '../types.ts';\nexport type B = A;\n", /plugin.*its own layer/],
  [`${core}/rpc/planted-clock.ts`, "import { systemClock } from '../system-runtime.ts';\nexport const now = systemClock.now();\n", /plugin.*its own layer/],
  ['packages/transport-ws/src/planted-internal.ts', "import { Kind } from '@trunkline/transport-core/internal';\nexport const kind = Kind;\n", /noRestrictedImports.*public entries/],
  [`${core}/stream/planted-node.ts`, "import { connect } from 'node:net';\nexport const dial = connect;\n", /noNodejsModules/],
  ['packages/transport-ws/src/native-planted.ts', "import { connect } from 'node:net';\nexport const dial = connect;\n", /noNodejsModules/],
  ['packages/transport-tcp/src/planted-timers.ts', "import { setTimeout as wait } from 'node:timers/promises';\nexport const pause = wait;\n", /plugin.*from a Clock/],
  [`${core}/session/planted-declare.ts`, 'declare function setTimeout(f: () => void, ms: number): void;\nsetTimeout(() => {}, 1);\n', /plugin.*ambient/],
  ['packages/transport-tcp/src/planted-timer.ts', 'setTimeout(() => {}, 1);\n', /noRestrictedGlobals.*setTimeout/],
  ['packages/transport-ws/src/planted-navigator.ts', 'export const agent = navigator.userAgent;\n', /noRestrictedGlobals.*navigator/],
  ['bench/src/planted-random.ts', 'export const { random } = Math;\n', /noJsRestrictedProperties.*Math\.random/],
  [`${core}/wire/planted-types-a.ts`, "import type { B } from './planted-types-b.ts';\nexport type A = { b: B };\n", /noImportCycles/],
  [`${core}/wire/planted-types-b.ts`, "import type { A } from './planted-types-a.ts';\nexport type B = { a: A };\n", /noImportCycles/],
  [`${core}/wire/index.ts`, "export { encode } from './encode.ts';\n", /plugin.*Only a package's index\.ts/],
];

/** What the compiler must refuse in pure code: a file, an expression, and the name in its error. */
const compilerBreaches = [
  [`${core}/session/planted-timer.ts`, 'setTimeout(() => {}, 1)', "'setTimeout'"],
  [`${core}/session/planted-page.ts`, 'document.title', "'document'"],
  [`${core}/session/planted-node.ts`, "await import('node:net')", "'node:net'"],
  [`${core}/session/planted-new.ts`, 'Promise.withResolvers()', "'withResolvers'"],
  [`${peers}/dialing/planted-timer.ts`, 'setTimeout(() => {}, 1)', "'setTimeout'"],
  [`${gossip}/plumtree/planted-timer.ts`, 'setTimeout(() => {}, 1)', "'setTimeout'"],
].map(([file, expression, name]) => [
  file,
  `export const planted = ${expression};\n`,
  new RegExp(`error TS.*${name}`),
]);

const copy = fs.mkdtempSync(join(tmpdir(), 'trunkline-check-'));
test.before('the tree is copied', () => {
  const filter = (path) => !['node_modules', 'dist', '.git'].includes(basename(path));
  fs.cpSync(root, copy, { recursive: true, filter });
  for (const folder of ['.', ...packages]) {
    const modules = join(root, folder, 'node_modules');
    if (fs.existsSync(modules)) fs.symlinkSync(modules, join(copy, folder, 'node_modules'));
  }
});
test.after.always('the copy is removed', () => fs.rmSync(copy, { recursive: true, force: true }));

test.serial('the linter refuses each breach', async (t) => {
  const args = ['lint', '--reporter=github', '--max-diagnostics=none', '--diagnostic-level=error'];
  const lint = async () => (await linesOf(tools.biome, args)).filter((line) => /^::/.test(line));
  t.deepEqual(await lint(), []);
  plant(lintBreaches);
  expectEach(t, lintBreaches, await lint());
});

test.serial('the compiler refuses what pure code may not use', async (t) => {
  plant(compilerBreaches);
  const lines = [];
  for (const folder of [core, peers, gossip])
    lines.push(...(await linesOf(tools.tsc, ['-p', join(dirname(folder), 'tsconfig.pure.json')])));
  expectEach(t, compilerBreaches, lines);
});

test('a package that uses the internals of another depends on one exact version of it', (t) => {
  for (const folder of published) {
    const { dependencies } = manifestOf(join(root, folder));
    const text = shippedSources(folder)
      .map((file) => fs.readFileSync(file, 'utf8'))
      .join('');
    for (const name of ['@trunkline/transport-core', '@trunkline/peers']) {
      const version = text.includes(`'${name}/internal'`) ? 'workspace:*' : 'workspace:^';
      if (dependencies[name]) t.is(dependencies[name], version, `${folder}: ${name}`);
    }
  }
});

function plant(breaches) {
  for (const [file, text] of breaches) {
    fs.mkdirSync(dirname(join(copy, file)), { recursive: true });
    fs.writeFileSync(join(copy, file), text);
  }
}

/** Expects a line about each breach that names its rule. */
function expectEach(t, breaches, lines) {
  for (const [file, , rule] of breaches) {
    const own = lines.filter((line) => line.includes(file)).join('\n');
    t.regex(own, rule, file);
  }
}

/** Returns the lines that a tool prints about the copy. */
async function linesOf(tool, args) {
  const { output } = await runTool(tool, args, { cwd: copy, capture: 'all' });
  return output.replaceAll(`${copy}/`, '').split('\n');
}

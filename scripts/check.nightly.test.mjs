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
const gossip = 'packages/gossip/src';
const peers = 'packages/peers/src';
const CORE = '@trunkline/transport-core';

/** An import that a layer must not have: a folder, or a root file, and what it imports. */
const layerBreaches = [
  [core, './protocol/codec.ts'],
  [`${core}/protocol`, '../wire/frame.ts'],
  [`${core}/wire`, '../session/a.ts'],
  [`${core}/session`, '../rpc/a.ts'],
  [`${core}/session/caller`, '../../rpc/a.ts'],
  [`${core}/rpc`, '../stream/a.ts'],
  [`${core}/stream`, '../transport/types.ts'],
  [`${core}/transport`, '../node/file-disk.ts'],
  [`${core}/node`, '../remote.ts'],
  [`${gossip}/messages`, '../hyparview/a.ts'],
  [`${gossip}/hyparview`, '../plumtree/a.ts'],
  [`${gossip}/plumtree`, '../overlay/body.ts'],
  [`${gossip}/overlay`, '../wire/frame.ts'],
  [`${gossip}/wire`, '../signatures/signatures.ts'],
  [`${gossip}/signatures`, '../discovery/a.ts'],
  [`${gossip}/discovery`, '../topics/a.ts'],
  [`${gossip}/topics`, '../relay/a.ts'],
  [`${gossip}/relay`, '../driver/a.ts'],
  ...['address', 'dialing', 'nat', 'node', 'services', 'status', 'store', 'trust'].map((folder) => [
    `${peers}/${folder}`,
    '../book/a.ts',
  ]),
  ...['admission', 'book', 'exchange'].map((folder) => [`${peers}/${folder}`, '../driver/a.ts']),
].map(([folder, path]) => [
  `${folder} that imports ${path}`,
  `${folder}/planted-layer.ts`,
  `import type { A } from '${path}';\nexport type B = A;\n`,
  /plugin.*its own layer or a lower one/,
]);

/**
 * Violations that Biome must find: a title, the file, its text, and the rule with a word of its
 * message.
 */
// biome-ignore format: one breach a line
const lintBreaches = [
  ...layerBreaches,
  ['a root file of peers that book/ imports', `${peers}/book/planted-root.ts`, "import type { A } from '../types.ts';\nexport type B = A;\n", /plugin.*its own layer/],
  ['a pure layer that imports the system clock', `${core}/rpc/planted-clock.ts`, "import { systemClock } from '../system-runtime.ts';\nexport const now = systemClock.now();\n", /plugin.*its own layer/],
  ['a backend that imports what is internal to core', 'packages/transport-ws/src/planted-internal.ts', "import { Kind } from '@trunkline/transport-core/internal';\nexport const kind = Kind;\n", /noRestrictedImports.*public entries/],
  ['node: in core', `${core}/stream/planted-node.ts`, "import { connect } from 'node:net';\nexport const dial = connect;\n", /noNodejsModules/],
  ['node: in a browser file of transport-ws', 'packages/transport-ws/src/native-planted.ts', "import { connect } from 'node:net';\nexport const dial = connect;\n", /noNodejsModules/],
  ['timers by import', 'packages/transport-tcp/src/planted-timers.ts', "import { setTimeout as wait } from 'node:timers/promises';\nexport const pause = wait;\n", /plugin.*from a Clock/],
  ['a timer by declaration', `${core}/session/planted-declare.ts`, 'declare function setTimeout(f: () => void, ms: number): void;\nsetTimeout(() => {}, 1);\n', /plugin.*ambient/],
  ['a timer', 'packages/transport-tcp/src/planted-timer.ts', 'setTimeout(() => {}, 1);\n', /noRestrictedGlobals.*setTimeout/],
  ['a global that Node 20 lacks', 'packages/transport-ws/src/planted-navigator.ts', 'export const agent = navigator.userAgent;\n', /noRestrictedGlobals.*navigator/],
  ['Math.random taken out of Math', 'bench/src/planted-random.ts', 'export const { random } = Math;\n', /noJsRestrictedProperties.*Math\.random/],
  ['a cycle', `${core}/wire/planted-cycle-a.ts`, "import { b } from './planted-cycle-b.ts';\nexport const a = (): number => b();\n", /noImportCycles/],
  ['a cycle', `${core}/wire/planted-cycle-b.ts`, "import { a } from './planted-cycle-a.ts';\nexport const b = (): number => a();\n", /noImportCycles/],
  ['a cycle of types', `${core}/wire/planted-types-a.ts`, "import type { B } from './planted-types-b.ts';\nexport type A = { b: B };\n", /noImportCycles/],
  ['a cycle of types', `${core}/wire/planted-types-b.ts`, "import type { A } from './planted-types-a.ts';\nexport type B = { a: A };\n", /noImportCycles/],
  ['a barrel inside a package', `${core}/wire/index.ts`, "export { encode } from './encode.ts';\n", /plugin.*Only a package's index\.ts/],
];

/** What the compiler must refuse in pure code: a file, an expression, and the name in its error. */
const compilerBreaches = [
  [`${core}/session/planted-timer.ts`, 'setTimeout(() => {}, 1)', 'setTimeout'],
  [`${core}/session/planted-page.ts`, 'document.title', 'document'],
  [`${core}/session/planted-node.ts`, "await import('node:net')", 'node:net'],
  [`${core}/session/planted-new.ts`, 'Promise.withResolvers()', 'withResolvers'],
  ['packages/peers/src/dialing/planted-timer.ts', 'setTimeout(() => {}, 1)', 'setTimeout'],
  ['packages/gossip/src/plumtree/planted-timer.ts', 'setTimeout(() => {}, 1)', 'setTimeout'],
];

/** The same code in places that allow it. */
// biome-ignore format: one case a line
const allowed = [
  ['a timer in a test', 'packages/transport-tcp/src/planted-allowed.test.ts', 'setTimeout(() => {}, 1);\n'],
  ['node: in a test of core', `${core}/wire/planted-allowed.test.ts`, "import { readFileSync } from 'node:fs';\n\nexport const read = readFileSync;\n"],
  ['node: in transport-tcp', 'packages/transport-tcp/src/planted-allowed.ts', "import { connect } from 'node:net';\n\nexport const dial = connect;\n"],
  ['node: in a file of transport-ws that only Node runs', 'packages/transport-ws/src/planted-allowed.ts', "import { connect } from 'node:net';\n\nexport const dial = connect;\n"],
  ['what is internal to core in peers', 'packages/peers/src/planted-allowed.ts', "import { Kind } from '@trunkline/transport-core/internal';\n\nexport const kind = Kind;\n"],
  ['a lower layer', `${core}/stream/planted-allowed.ts`, "import type { Frame } from '../wire/frame.ts';\n\nexport type F = Frame;\n"],
];

const copy = mkdtempSync(join(tmpdir(), 'trunkline-check-'));
test.after.always('the copy is removed', () => rmSync(copy, { recursive: true, force: true }));

test.serial('the linter refuses each breach, and nothing else', async (t) => {
  copyTree();
  t.deepEqual(await lint(), []);
  for (const [, file, text] of [...lintBreaches, ...allowed]) plant(file, text);
  const findings = await lint();
  const found = (file) => findings.filter((line) => line.includes(`file=${file},`));
  for (const [title, file, , rule] of lintBreaches)
    t.true(
      found(file).some((line) => rule.test(line)),
      `${title}: ${found(file).join('\n')}`,
    );
  for (const [title, file] of allowed) t.deepEqual(found(file), [], title);
  for (const [, file] of lintBreaches) rmSync(join(copy, file), { force: true });
});

test.serial('the compiler refuses what pure code may not use', async (t) => {
  for (const [file, expression] of compilerBreaches)
    plant(file, `export const planted = ${expression};\n`);
  const found = [];
  for (const folder of [core, 'packages/peers/src', gossip]) {
    const args = ['-p', join(dirname(folder), 'tsconfig.pure.json')];
    const { output } = await runTool(tools.tsc, args, { cwd: copy, capture: 'stdout' });
    found.push(...linesOf(output).filter((line) => line.includes('error TS')));
  }
  for (const [file, , name] of compilerBreaches) {
    const own = found.filter((line) => line.includes(file));
    t.true(
      own.some((line) => line.includes(`'${name}'`)),
      `${file}: ${own.join('\n')}`,
    );
  }
});

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
  const filter = (path) => !['node_modules', 'dist'].includes(basename(path));
  const own = ['biome.json', 'package.json', 'tsconfig.base.json', '.gitignore', 'scripts'];
  for (const entry of [...own, ...packages])
    cpSync(join(root, entry), join(copy, entry), { recursive: true, filter });
  for (const folder of ['.', ...packages]) {
    const modules = join(root, folder, 'node_modules');
    if (existsSync(modules)) symlinkSync(modules, join(copy, folder, 'node_modules'));
  }
}

function plant(file, text) {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), text);
}

/** Returns the errors that Biome finds in the copy. */
async function lint() {
  const args = ['lint', '--reporter=github', '--max-diagnostics=none', '--diagnostic-level=error'];
  const { code, output } = await runTool(tools.biome, args, { cwd: copy, capture: 'all' });
  const findings = linesOf(output).filter((line) => line.startsWith('::error'));
  if (code !== 0 && findings.length === 0) throw new Error(output); // Biome itself failed.
  return findings;
}

function linesOf(output) {
  return output.replaceAll(`${copy}/`, '').split('\n');
}

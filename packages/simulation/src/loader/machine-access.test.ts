// Tests that loaded code reaches nothing of the machine through the packages of Trunkline, which it
// shares with the program.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { createLoader } from './loader.ts';
import { machineAccess } from './machine-access.ts';
import { folderWith } from './testing/folder-with.ts';

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));

/** An entry of a package in this repository. */
interface Entry {
  readonly specifier: string;
  readonly folder: string;
  /** The compiled file that is not bundled. */
  readonly file: string;
}

const entries: readonly Entry[] = readdirSync(PACKAGES).flatMap((name) => {
  const folder = join(PACKAGES, name);
  const { name: packageName, exports } = manifestOf(folder);
  return Object.entries<any>(exports ?? {})
    .filter(([, target]) => typeof target === 'object')
    .map(([path, target]) => ({
      specifier: packageName + path.slice(1),
      folder,
      file: join(folder, target.default),
    }));
});

test('each function of a shared package that reaches the machine is refused at the call, not at the import', async (t) => {
  const found = new Set<string>();
  await using sim = createSimulation();
  sim.node('n1', async (context) => {
    for (const { specifier, folder, file } of entries) {
      const text = readFileSync(file, 'utf8');
      if (![...machineAccess.keys()].some((name) => new RegExp(`\\b${String(name)}\\b`).test(text)))
        continue;
      const load = createLoader(pathToFileURL(join(folder, 'package.json')));
      const exports = await load(context, specifier);
      for (const [name, remedy] of machineAccess) {
        if (!(name in exports)) continue;
        found.add(String(name));
        const { [name as string]: called } = exports;
        const call =
          typeof called === 'function' ? () => called() : () => Object.values<any>(called)[0]();
        const message = t.throws(call, undefined, `${specifier} ${String(name)}`)!.message;
        const packageName = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
        t.true(message.startsWith(`loader: ${packageName}: ${String(name)}`), message);
        t.true(message.endsWith(`is refused in a simulation: ${remedy}`), message);
      }
    }
  });
  await sim.run(10);
  t.deepEqual(
    [...machineAccess.keys()].filter((name) => !found.has(String(name))),
    [],
  );
});

test('each export of a shared package that reaches the machine is refused', (t) => {
  const unknown = entries.flatMap(({ specifier, file }) =>
    exportsOf(file)
      .filter(
        ({ name, from }) =>
          reached(from).some((each) => MACHINE.test(each)) && !machineAccess.has(name),
      )
      .map(({ name }) => `${specifier} ${name}`),
  );
  t.deepEqual(unknown.sort(), [
    '@trunkline/admin/replay replayPage',
    '@trunkline/simulation/loader createLoader',
    '@trunkline/simulation/loader fileSystem',
    '@trunkline/transport-core/node fileError',
    '@trunkline/transport-core/node fixedLookup',
    '@trunkline/transport-core/node hasNoLinks',
    '@trunkline/transport-core/node ignoreMissing',
    '@trunkline/transport-core/node systemErrorCode',
  ]);
});

test('the error names the function, the file that calls it, and the remedy', async (t) => {
  const files = {
    'node_modules/@trunkline/peers/package.json':
      '{"name":"@trunkline/peers","exports":{"./node":"./node.js"}}',
    'node_modules/@trunkline/peers/node.js': `exports.createFileStore = () => 'reached'; exports.other = () => 'other'`,
    'star.mjs': `export * from '@trunkline/peers/node'`,
    'main.mjs': `
      import { createFileStore, other } from '@trunkline/peers/node';
      import * as star from './star.mjs';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('@trunkline/peers/node');
      const imported = await import('@trunkline/peers/node');
      const message = (call) => { try { return call() } catch (error) { return error.message } };
      export const seen = [other(), ...[createFileStore, star.createFileStore, required.createFileStore,
        imported.createFileStore, imported.default.createFileStore].map(message)];`,
  };
  const load = createLoader(folderWith(t, files));
  await using sim = createSimulation();
  let seen: readonly string[] = [];
  sim.node('n1', async (context) => void ({ seen } = await load(context, './main.mjs')));
  await sim.run(10);
  t.is(seen[0], 'other');
  t.is(seen.length, 6);
  for (const each of seen.slice(1))
    t.regex(
      each,
      /^loader: @trunkline\/peers: createFileStore\(\) in .*main\.mjs is refused in a simulation: use the store of the node/,
    );
});

/** The modules through which code reaches the disk, sockets and processes. */
const MACHINE =
  /^node:(?:fs|net|tls|https?|http2|dgram|dns|child_process|cluster|worker_threads|inspector)\b|^@trunkline\/(?:transport-core\/node|transport-(?:tcp|ws|nats|webrtc))/;

/** The names that an entry exports from files of its package. */
function exportsOf(file: string): readonly { readonly name: string; readonly from: string }[] {
  return [...readFileSync(file, 'utf8').matchAll(/export \{([^}]*)\} from '(\.[^']+)'/g)].flatMap(
    ([, names, from]) =>
      names!
        .split(',')
        .filter((name) => name.trim())
        .map((name) => ({ name: name.trim(), from: join(dirname(file), from!) })),
  );
}

/** The packages and modules that a file imports, itself or through files of its package. */
function reached(file: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const imports = readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g);
  return [...imports].flatMap(([, name]) =>
    name!.startsWith('.') ? reached(join(dirname(file), name!), seen) : [name!],
  );
}

function manifestOf(folder: string): { readonly name: string; readonly exports?: object } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

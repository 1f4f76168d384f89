// Tests that changes of built-in objects are found after a run, reported and put back.

import { EventEmitter } from 'node:events';
import { explore } from '../explore/explore.ts';
import type { SimulationLeak } from '../nodes/leaks.ts';
import { createSimulation, type Simulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { createLoader, type Load } from './loader.ts';
import { folderWith } from './testing/folder-with.ts';

/** Runs a node that imports `main.mjs` and calls its function `run`, if any. Returns the leaks. */
async function leaksOf(load: Load, nodes: readonly string[] = ['n1']): Promise<SimulationLeak[]> {
  const sim = createSimulation();
  declare(sim, load, nodes);
  await sim.run(100);
  return await sim.close();
}

function declare(sim: Simulation, load: Load, nodes: readonly string[]): void {
  for (const name of nodes)
    sim.node(name, async (context) => {
      const { run } = await load(context, './main.mjs');
      run?.();
    });
}

/** The names of files in texts, without their folders. */
const withoutFolders = (leaks: readonly SimulationLeak[]) =>
  leaks.map(({ what, ...rest }) => ({
    ...rest,
    what: what.replace(/^.*[\\/](?=\S+ changed)/, ''),
  }));

test('changes are reported with the module that made them, and put back', async (t) => {
  const files = {
    'main.mjs': `import './adds.cjs'; import './replaces.mjs'; import events from 'node:events';
      events.defaultMaxListeners = 99; delete Array.prototype.findLast;`,
    'adds.cjs': `require('./inner.cjs');
      Array.prototype.last = function () { return this.at(-1) };
      Object.prototype[Symbol.for('mark')] = 1;`,
    'inner.cjs': `Math.tau = 6; Promise.inner = true; Error.stackTraceLimit += 3;`,
    'replaces.mjs': `import { EventEmitter } from 'node:events'; import util from 'node:util';
      const { parse } = JSON; JSON.parse = (text) => parse(text);
      Object.defineProperty(Map.prototype, 'size', { get: () => 7 });
      [][Symbol.iterator]().__proto__.rest = 1;
      EventEmitter.prototype.listens = () => true; util.TextDecoder.prototype.decode = () => ''; util.own = 1;
      util.inspect.defaultOptions.depth = 9;`,
  };
  const load = createLoader(folderWith(t, files));
  const before = [JSON.parse, Object.keys(EventEmitter.prototype).length, Array.prototype.findLast];
  const limit = Error.stackTraceLimit;
  const texts = [
    ['inner.cjs', 'Promise.inner, Error.stackTraceLimit'],
    [
      'replaces.mjs',
      'JSON.parse, Map.prototype.size, TextDecoder.prototype.decode, ArrayIterator.prototype.rest, util.inspect.defaultOptions.depth and 1 more',
    ],
    ['adds.cjs', 'Object.prototype[Symbol(mark)], Array.prototype.last'],
    ['main.mjs', 'Array.prototype.findLast, EventEmitter.defaultMaxListeners'],
  ];
  for (let run = 0; run < 2; run++) {
    const leaks = withoutFolders(await leaksOf(load, ['n1', 'n2']));
    t.deepEqual(
      leaks.map(({ what }) => what).sort(),
      texts
        .map(
          ([file, names]) =>
            `${file} changed ${names}, which all nodes and runs share: the end of the run put it back`,
        )
        .sort(),
      `run ${run}`,
    );
    t.deepEqual([...new Set(leaks.map(({ owner, kind }) => `${owner} ${kind}`))], ['n1 builtin']);
    t.deepEqual(
      [JSON.parse, Object.keys(EventEmitter.prototype).length, Array.prototype.findLast],
      before,
    );
    t.deepEqual(
      [Error.stackTraceLimit, EventEmitter.defaultMaxListeners, new Map().size],
      [limit, 10, 0],
    );
    t.false('last' in [] || Symbol.for('mark') in {} || 'tau' in Math || 'inner' in Promise);
  }
});

test('a change while a node runs is reported without a module', async (t) => {
  const files = { 'main.mjs': 'export const run = () => { String.prototype.shout = 1 }' };
  const [leak, ...others] = await leaksOf(createLoader(folderWith(t, files)));
  t.deepEqual(others, []);
  t.is(leak?.count, 1);
  t.regex(leak!.what, /^code that n1 loaded changed String\.prototype\.shout, which/);
  t.false('shout' in String.prototype);
});

test('a failed run puts everything back, too', async (t) => {
  const files = { 'main.mjs': "Set.prototype.failed = 1; throw new Error('broken')" };
  const sim = createSimulation();
  declare(sim, createLoader(folderWith(t, files)), ['n1']);
  await t.throwsAsync(sim.run(100), { message: /broken/ });
  t.true('failed' in Set.prototype);
  t.deepEqual(await sim.close(), []);
  t.false('failed' in Set.prototype);
});

test('changes by the program itself, and undone ones, are not reported', async (t) => {
  const files = {
    'main.mjs':
      'Set.prototype.temporary = 1; delete Set.prototype.temporary; export const seen = [].mine',
  };
  const load = createLoader(folderWith(t, files));
  t.deepEqual(await leaksOf(load), []);
  const prototype = Array.prototype as unknown as Record<string, unknown>;
  prototype['mine'] = 1;
  t.deepEqual(await leaksOf(load), []);
  t.is(prototype['mine'], 1);
  delete prototype['mine'];
});

test('each run begins with the same built-in objects; leaks can fail a search', async (t) => {
  const files = {
    'main.mjs': `export const run = () => {
      if ('visited' in WeakMap) throw new Error('a run sees the last one');
      WeakMap.visited = true;
    }`,
  };
  const load = createLoader(folderWith(t, files));
  const scenario = async (sim: Simulation) => {
    declare(sim, load, ['n1']);
    await sim.run(10);
  };
  t.is((await explore({ seeds: 3, scenario, profiles: [] })).passed, 3);
  const { failed } = await explore({ scenario, profiles: [], leaks: 'fail' });
  t.regex(failed[0]!.error.message, /code that n1 loaded changed WeakMap\.visited/);
});

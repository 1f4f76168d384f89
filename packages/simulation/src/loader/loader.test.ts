// Tests of the loader: modules of both kinds, their instances, and their view of the world.

import type { ExecutionContext } from 'ava';
import type { NodeContext } from '../nodes/node-context.ts';
import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { createLoader, type LoaderOptions } from './loader.ts';
import { folderWith } from './testing/folder-with.ts';

type Files = Readonly<Record<string, string>>;

/** Runs `use` in a node with a loader for these files, for ten virtual seconds. */
async function inNode<T>(
  t: ExecutionContext,
  files: Files,
  use: (load: (specifier: string) => Promise<any>, context: NodeContext) => T | Promise<T>,
  options?: LoaderOptions & { readonly seed?: number },
): Promise<T> {
  const { seed = 1, ...loading } = options ?? {};
  const load = createLoader(folderWith(t, files), loading);
  const sim = createSimulation({ seed });
  let result: { readonly value: T } | undefined;
  sim.node('n1', async (context) => {
    result = { value: await use((specifier) => load(context, specifier), context) };
  });
  try {
    await sim.run(10_000);
  } finally {
    await sim.close();
  }
  return result!.value;
}

test('ES modules import and export in every form', async (t) => {
  const files = {
    'main.mjs': `
      import first, { two as second, 'odd name' as odd } from './values.mjs';
      import * as all from './values.mjs';
      import data from './data.json' with { type: 'json' };
      export * from './values.mjs';
      export * as values from './values.mjs';
      export { increment, count } from './values.mjs'
      export { three as four } from './values.mjs'
      export let [a, { b: [c] = [3], ...d }] = [1, { e: 5 }];
      export class Thing { own = second }
      export async function* later() { yield second }
      const object = { second, first };
      function shadow(second) { return second }
      export default { first, second, odd, object, keys: Object.keys(all), data, shadowed: shadow(9) }`,
    'values.mjs': `
      export default function () { return typeof this }
      export const two = 2, three = 3;
      const strange = 'odd'; export { strange as 'odd name' };
      export let count = 0;
      export function increment() { count++ }`,
    'data.json': '{"x":1}',
  };
  const module = await inNode(t, files, (load) => load('./main.mjs'));
  const { first, ...rest } = module.default;
  t.is(first(), 'undefined');
  t.deepEqual(rest, {
    second: 2,
    odd: 'odd',
    object: { second: 2, first },
    keys: ['count', 'default', 'increment', 'odd name', 'three', 'two'],
    data: { x: 1 },
    shadowed: 9,
  });
  t.deepEqual([module.a, module.c, module.d, module.four, module.two], [1, 3, { e: 5 }, 3, 2]);
  t.is(new module.Thing().own, 2);
  t.is((await module.later().next()).value, 2);
  module.increment();
  t.is(module.count, 1, 'a binding is live');
  t.is(module.values.count, 1);
});

test('an imported function is called without this, also after a line without semicolon', async (t) => {
  const files = {
    'main.mjs': `
      import { self, tag } from './self.mjs'
      export const seen = []
      const push = (value) => seen.push(value)
      let x = 1
      self(push)
      if (x) self(push)
      else self(push)
      tag\`a\`
      export const tagged = tag\`b\``,
    'self.mjs': `
      export function self(push) { push(this) }
      export function tag(strings) { return [this, strings[0]] }`,
  };
  const { seen, tagged } = await inNode(t, files, (load) => load('./main.mjs'));
  t.deepEqual(seen, [undefined, undefined]);
  t.deepEqual(tagged, [undefined, 'b']);
});

test('modules of a cycle see each other, functions even before they are evaluated', async (t) => {
  const files = {
    'a.mjs': `import { b } from './b.mjs'; export function name() { return 'a' } export const a = 'of ' + b;`,
    'b.mjs': `import { a, name } from './a.mjs'; export const b = name(); export const late = () => a;`,
    'main.mjs': `export { a } from './a.mjs'; export { late } from './b.mjs';`,
  };
  const { a, late } = await inNode(t, files, (load) => load('./main.mjs'));
  t.deepEqual([a, late()], ['of a', 'of a']);
});

test('modules may await at their top level, and are evaluated in order', async (t) => {
  const files = {
    'log.mjs': 'export const log = []',
    'slow.mjs': `import { log } from './log.mjs'; log.push('slow'); await new Promise((r) => setTimeout(r, 100)); log.push('slow done'); export const slow = 1;`,
    'main.mjs': `import './slow.mjs'; import { log } from './log.mjs'; log.push('main'); export { log }; export const other = await import('./slow.mjs');`,
  };
  const { log, other } = await inNode(t, files, (load) => load('./main.mjs'));
  t.deepEqual([log, other.slow], [['slow', 'slow done', 'main'], 1]);
});

test('CommonJS modules require each other, ES modules, JSON and built-in modules', async (t) => {
  const files = {
    'main.cjs': `
      const setImmediate = require('timers').setImmediate, process = require('process');
      const { join } = require('path');
      exports.early = 1;
      exports.other = require('./other.cjs');
      exports.es = require('./es.mjs').value;
      exports.data = require('./data');
      exports.path = join('a', 'b');
      exports.names = [__filename, __dirname].map((name) => name.split('/').at(-1));
      exports.dynamic = import('./es.mjs').then(({ value }) => value);
      exports.self = this === exports;
      exports.missing = (() => { try { require('not-there') } catch (error) { return error.code } })();`,
    'other.cjs': `module.exports = { seen: require('./main.cjs').early }`,
    'es.mjs': 'export const value = 7',
    'data.json': '[1]',
  };
  const { default: main, early } = await inNode(t, files, (load) => load('./main.cjs'));
  const { names, dynamic, ...rest } = main;
  t.is(early, 1, 'its properties are names, too');
  t.is(names[0], 'main.cjs');
  t.is(await dynamic, 7);
  t.deepEqual(rest, {
    early: 1,
    other: { seen: 1 },
    es: 7,
    data: [1],
    path: 'a/b',
    self: true,
    missing: 'MODULE_NOT_FOUND',
  });
});

test('packages resolve by their exports, with the conditions of import and of require', async (t) => {
  const files = {
    'node_modules/both/package.json': JSON.stringify({
      name: 'both',
      exports: { import: './index.mjs', require: './index.cjs' },
    }),
    'node_modules/both/index.mjs': `export default 'import'`,
    'node_modules/both/index.cjs': `module.exports = 'require'`,
    'node_modules/typed/package.json': '{"name":"typed","type":"module","main":"main.js"}',
    'node_modules/typed/main.js': 'export default typeof require',
    'node_modules/guess/package.json': '{"name":"guess"}',
    'node_modules/guess/index.js': 'export const guessed = import.meta.url',
    'main.cjs': `exports.both = require('both')`,
  };
  const [imported, required, typed, guessed] = await inNode(t, files, async (load) => [
    (await load('both')).default,
    (await load('./main.cjs')).both,
    (await load('typed')).default,
    (await load('guess')).guessed,
  ]);
  t.deepEqual([imported, required, typed], ['import', 'require', 'undefined']);
  t.regex(guessed, /^file:.*\/guess\/index\.js$/);
});

test('time and chance are those of the node, and the same for the same seed', async (t) => {
  const files = {
    'main.cjs': `
      const crypto = require('crypto'), { performance: perf } = require('perf_hooks');
      module.exports = async () => {
        const from = process.hrtime.bigint();
        await require('timers/promises').setTimeout(1500);
        return {
          passed: Number(process.hrtime.bigint() - from) / 1e6,
          date: new Date().toISOString(), now: Date.now(), text: typeof Date(), kept: new Date(0).getTime(),
          isDate: new Date() instanceof Date, performance: [performance.now(), perf.now()],
          uptime: process.uptime(), pid: process.pid,
          chance: [Math.random(), crypto.randomInt(1000), crypto.randomUUID(), globalThis.crypto.randomUUID(),
            crypto.randomBytes(4).toString('hex'), ...crypto.getRandomValues(new Uint8Array(3)), ...crypto.randomFillSync(new Uint8Array(2))],
          same: globalThis.Math.random === Math.random && global.Date === Date,
          hash: Buffer.from(await globalThis.crypto.subtle.digest('SHA-256', new Uint8Array(0))).toString('hex'),
        };
      };`,
  };
  const run = (seed: number) =>
    inNode(t, files, async (load) => (await load('./main.cjs')).default(), { seed });
  const one = await run(1);
  const { chance, hash, ...rest } = one;
  t.deepEqual(rest, {
    passed: 1500,
    date: '2020-01-01T00:00:01.500Z',
    now: 1_577_836_801_500,
    text: 'string',
    kept: 0,
    isDate: true,
    performance: [1_525, 1_525],
    uptime: 1.5,
    pid: 1,
    same: true,
  });
  t.is(hash, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  t.regex(chance[2], /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  t.deepEqual(await run(1), one);
  t.notDeepEqual((await run(2)).chance, chance);
});

test('timers fire in the order of Node, and can be cleared, refreshed and repeated', async (t) => {
  const files = {
    'main.mjs': `
      import { setTimeout as wait, setInterval as every } from 'node:timers/promises';
      import { promisify } from 'node:util';
      export default async () => {
        const log = [];
        setTimeout((x) => log.push('timeout ' + x), 0, 1);
        setImmediate(() => log.push('immediate'));
        process.nextTick((x) => log.push('tick ' + x), 2);
        const cleared = setTimeout(() => log.push('cleared'), 5);
        clearTimeout(+cleared);
        clearTimeout(setTimeout(() => log.push('cleared too'), 5));
        clearTimeout(undefined); clearTimeout(null);
        const refreshed = setTimeout(() => log.push('refreshed at ' + Date.now() % 1000), 20).unref();
        const repeated = setInterval(() => { log.push('interval'); if (log.length > 8) clearInterval(repeated) }, 6);
        await wait(10); refreshed.refresh();
        await promisify(setTimeout)(30);
        for await (const value of every(1, 'each')) { log.push(value); break }
        log.push(await wait(1, 'late', { signal: AbortSignal.abort() }).catch(({ name }) => name));
        return log;
      };`,
  };
  const log = await inNode(t, files, async (load) => (await load('./main.mjs')).default());
  t.deepEqual(log.slice(0, 3), ['tick 2', 'immediate', 'timeout 1']);
  t.true(log.includes('refreshed at 30'));
  t.deepEqual(log.slice(-2), ['each', 'AbortError']);
  t.false(log.some((line: string) => line.startsWith('cleared')));
});

test('each node and each life of a node has modules and globals of its own', async (t) => {
  const files = {
    'main.mjs': `let count = 0; export const next = () => ++count;
      globalThis.shared = (globalThis.shared ?? 0) + 1; export const shared = globalThis.shared; export const set = 'shared' in globalThis;`,
  };
  const load = createLoader(folderWith(t, files));
  const sim = createSimulation();
  const counts: string[] = [];
  for (const name of ['n1', 'n2'])
    sim.node(name, async (context) => {
      const one = await load(context, './main.mjs');
      const other = await load(context, './main.mjs');
      counts.push(`${name} ${one.next()} ${other.next()} ${one.shared} ${one.set}`);
    });
  await sim.run(10);
  sim.restart('n1');
  await sim.run(10);
  await sim.close();
  t.deepEqual(counts, ['n1 1 2 1 true', 'n2 1 2 1 true', 'n1 1 2 1 true']);
  t.false('shared' in globalThis);
});

test('trunkline is shared with the program by default, and so are the packages of `shared`', async (t) => {
  const made = 'exports.made = {}';
  const files = {
    'node_modules/common/package.json': '{"name":"common","main":"index.js"}',
    'node_modules/common/index.js': made,
    'node_modules/trunkline/package.json': '{"name":"trunkline","main":"index.js"}',
    'node_modules/trunkline/index.js': made,
    'node_modules/dual/package.json': '{"name":"dual","main":"cjs/index.js"}',
    'node_modules/dual/cjs/package.json': '{"type":"commonjs"}',
    'node_modules/dual/cjs/index.js': made,
    'main.cjs': `exports.made = require('common').made`,
  };
  for (const [options, modules] of [
    [{}, ['trunkline']],
    [{ shared: ['dual'] }, ['dual']],
    [{ shared: ['comm*'] }, ['./main.cjs', 'common']],
  ] as const) {
    const load = createLoader(folderWith(t, files), options);
    await using sim = createSimulation();
    const seen: unknown[] = [];
    for (const name of ['n1', 'n2'])
      sim.node(name, async (context) => {
        for (const module of modules) seen.push((await load(context, module)).made);
      });
    await sim.run(10);
    t.deepEqual([seen.length, new Set(seen).size], [2 * modules.length, 1]);
  }
});

test('what fails names the file and the reason', async (t) => {
  const files = {
    'broken.mjs': 'export const = 1',
    'addon.node': '',
    'throws.mjs': 'throw new RangeError("at import")',
    'exits.cjs': 'process.exit(0)',
    'awaits.mjs': 'await 1',
    'requires.cjs': `require('./awaits.mjs')`,
  };
  const messages = await inNode(t, files, async (load) => {
    const found: string[] = [];
    for (const name of [...Object.keys(files), 'nowhere'])
      await load(name === 'nowhere' ? name : `./${name}`).then(
        () => found.push('loaded'),
        (error: Error) => found.push(`${error.name}: ${error.message}`),
      );
    return found;
  });
  const expected = [
    /^Error: loader: .*broken\.mjs does not compile: /,
    /^Error: loader: .*addon\.node is native code/,
    /^RangeError: at import$/,
    /^Error: process\.exit\(\) in a simulated node would end this process/,
    /^loaded$/,
    /^Error: loader: .*awaits\.mjs cannot be required/,
    /Cannot find package 'nowhere'/,
  ];
  for (const [index, pattern] of expected.entries()) t.regex(messages[index]!, pattern);
});

test('an error of a timer or a tick fails the run in the name of the node', async (t) => {
  for (const code of [
    `setTimeout(() => { throw new Error('boo') }, 5)`,
    `process.nextTick(() => { throw new Error('boo') })`,
  ]) {
    const error = await t.throwsAsync(
      inNode(t, { 'main.cjs': code }, (load) => load('./main.cjs')),
    );
    t.regex(error!.message, /^no uncaught error: n1 threw Error: boo/);
  }
});

test('code that escapes the loader still meets the guard', async (t) => {
  const files = {
    'main.cjs': `module.exports = () => Reflect.get(() => {}, 'constructor')('return Date.now()')()`,
  };
  const error = await t.throwsAsync(
    inNode(t, files, async (load) => (await load('./main.cjs')).default()),
  );
  t.regex(error!.message, /Date\.now\(\) inside a simulation/);
});

test('invalid arguments throw TypeErrors that name them', (t) => {
  t.throws(() => createLoader('./main.js'), {
    instanceOf: TypeError,
    message: /createLoader: from must be the URL of a file/,
  });
  t.throws(() => createLoader(import.meta.url, { shared: 'x' } as never), {
    instanceOf: TypeError,
    message: /shared: must be a list/,
  });
  t.throws(() => createLoader(import.meta.url, { share: [] } as never), {
    instanceOf: TypeError,
    message: /share: unknown option/,
  });
});

test('callbacks run in the async context in which they were given, as in Node', async (t) => {
  const files = {
    'main.mjs': `
      import { AsyncLocalStorage } from 'node:async_hooks';
      import fs from 'node:fs';
      const store = new AsyncLocalStorage();
      const seen = {};
      const note = (name) => () => { seen[name] = store.getStore() };
      export const run = () => new Promise((resolve) => store.run('mine', () => {
        setTimeout(note('timeout'), 1);
        const interval = setInterval(() => { note('interval')(); clearInterval(interval) }, 1);
        setImmediate(note('immediate'));
        process.nextTick(note('tick'));
        queueMicrotask(note('microtask'));
        fs.readFile('/missing', note('file'));
        setTimeout(() => resolve(seen), 100);
      }))`,
  };
  const seen = await inNode(t, files, async (load) => (await load('./main.mjs')).run());
  t.deepEqual(
    seen,
    Object.fromEntries(
      ['microtask', 'tick', 'file', 'immediate', 'timeout', 'interval'].map((name) => [
        name,
        'mine',
      ]),
    ),
  );
});

test('performance starts at some milliseconds, and has marks and measures', async (t) => {
  const files = {
    'main.mjs': `
      const started = performance.now();
      export async function run() {
        const mark = performance.mark('a', { detail: 1 });
        await new Promise((resolve) => setTimeout(resolve, 50));
        const measure = performance.measure('b', 'a');
        const unset = (() => { try { performance.measure('c', 'x') } catch (error) { return error.name } })();
        const names = performance.getEntries().map(({ name }) => name);
        performance.clearMarks();
        return [started, mark.startTime, mark.detail, measure.duration, unset, names, performance.getEntriesByType('mark').length]
      }`,
  };
  const seen = await inNode(t, files, async (load) => (await load('./main.mjs')).run());
  t.deepEqual(seen, [25, 25, 1, 50, 'SyntaxError', ['a', 'b'], 0]);
});

test('AbortSignal.timeout and MessageChannel act in virtual time', async (t) => {
  const files = {
    'main.mjs': `
      export async function run() {
        const begin = performance.now();
        const signal = AbortSignal.timeout(5_000);
        const [aborted, reason] = await new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve([performance.now() - begin, signal.reason.name])));
        const { port1, port2 } = new MessageChannel();
        const seen = [];
        port1.onmessage = ({ data }) => { seen.push(data); port1.postMessage({ answer: data.n + 1 }) };
        const answer = new Promise((resolve) => port2.once('message', resolve));
        port2.postMessage({ n: 1 });
        const order = [seen.length];
        const answered = await answer;
        port2.close();
        return { aborted, reason, isSignal: signal instanceof AbortSignal, seen, order, answered }
      }`,
  };
  const seen = await inNode(t, files, async (load) => (await load('./main.mjs')).run());
  t.deepEqual(seen, {
    aborted: 5_000,
    reason: 'TimeoutError',
    isSignal: true,
    seen: [{ n: 1 }],
    order: [0],
    answered: { answer: 2 },
  });
});

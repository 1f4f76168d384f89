// Tests of the evaluation of ES modules that several imports share.

import type { ExecutionContext } from 'ava';
import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { createLoader } from './loader.ts';
import { folderWith } from './testing/folder-with.ts';

/** Returns what `use` resolves to in a node; fails if it takes more than a second. */
async function inNode<T>(
  t: ExecutionContext,
  files: Readonly<Record<string, string>>,
  use: (load: (specifier: string) => Promise<any>) => Promise<T>,
): Promise<T> {
  const load = createLoader(folderWith(t, files));
  await using sim = createSimulation({ seed: 1 });
  let result: Promise<T> | undefined;
  sim.node('n1', (context) => {
    result = use((specifier) => load(context, specifier));
    result.catch(() => {});
  });
  await sim.run(0);
  return await sim.settle(result!, 1_000);
}

test('modules of a cycle that awaits can be imported at the same time', async (t) => {
  const files = {
    'a.mjs': `import './x.mjs'; import { b } from './b.mjs'; export const a = 1`,
    'b.mjs': `import { a } from './a.mjs'; export const b = 2`,
    'x.mjs': `await new Promise((resolve) => setTimeout(resolve, 10))`,
  };
  const seen = await inNode(t, files, async (load) => {
    const [{ a }, { b }] = await Promise.all([load('./a.mjs'), load('./b.mjs')]);
    return [a, b];
  });
  t.deepEqual(seen, [1, 2]);
});

test('a module is evaluated when its import resolves, whoever evaluates it', async (t) => {
  const files = {
    'root.mjs': `import './deep.mjs'; await 0`,
    'deep.mjs': `import './1.mjs'; export const deep = true`,
    ...Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => [`${i + 1}.mjs`, i < 8 ? `import './${i + 2}.mjs'` : '']),
    ),
    'other.mjs': `import { deep } from './deep.mjs'; export const seen = deep`,
  };
  const seen = await inNode(t, files, async (load) => {
    const all = await Promise.all([load('./root.mjs'), load('./deep.mjs'), load('./other.mjs')]);
    return [all[1].deep, all[2].seen];
  });
  t.deepEqual(seen, [true, true]);
});

test('each import of a module that lacks a module throws the same error', async (t) => {
  const files = {
    'a.mjs': `import './b.mjs'`,
    'b.mjs': `import './none.mjs'`,
    'c.mjs': `import './b.mjs'`,
  };
  const seen = await inNode(t, files, async (load) => {
    const codes: unknown[] = [];
    for (const name of ['a', 'a', 'b', 'c'])
      codes.push(await load(`./${name}.mjs`).catch(({ code }) => code));
    return codes;
  });
  t.deepEqual(seen, Array(4).fill('ERR_MODULE_NOT_FOUND'));
});

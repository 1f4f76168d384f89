// Tests that counters leave a module's behavior and line numbers unchanged.

import test from 'ava';
import { countEdges } from './edges.ts';

/** Runs a module's source and returns the value of each counter. */
function counts(
  source: string,
  use: string,
): { readonly result: unknown; readonly counters: number[] } {
  const counted = countEdges(source, 'edges', () => '');
  const edges = new Uint8Array(counted.edges);
  const result = new Function('edges', `${counted.source}\nreturn ${use};`)(edges);
  return { result, counters: Array.from(edges) };
}

const CASES: readonly (readonly [title: string, source: string, use: string, result: unknown])[] = [
  [
    'a branch without braces',
    'function f(x) { if (x) return 1; else return 2; }',
    '[f(true), f(false)]',
    [1, 2],
  ],
  [
    'a branch without an else',
    'function f(x) { if (x) { return 1 } return 2 }',
    '[f(true), f(false)]',
    [1, 2],
  ],
  [
    'nested branches without braces',
    'function f(x, y) { if (x) if (y) return 1; return 2; }',
    '[f(1, 1), f(1, 0), f(0, 1)]',
    [1, 2, 2],
  ],
  ['an arrow that gives an object', 'const f = (x) => ({ x });', 'f(1)', { x: 1 }],
  ['a conditional', 'const f = (x) => x > 1 ? x > 2 ? 3 : 2 : 1;', '[f(1), f(2), f(3)]', [1, 2, 3]],
  [
    'operators that may leave their right side',
    'const f = (x) => x?.y ?? (x && x.z || 5);',
    '[f({ y: 1 }), f({ z: 2 }), f(0)]',
    [1, 2, 5],
  ],
  [
    'loops',
    'function f() { let n = 0; for (let i = 0; i < 3; i++) n++; for (const a of [1, 2]) n += a; while (n < 9) n++; do n++; while (n < 12); return n; }',
    'f()',
    12,
  ],
  [
    'a switch',
    'function f(x) { switch (x) { case 1: case 2: return "a"; default: return "b"; } }',
    '[f(1), f(2), f(3)]',
    ['a', 'a', 'b'],
  ],
  [
    'defaults',
    'const f = ({ a = 1 } = {}, b = a + 1) => a + b;',
    '[f(), f({ a: 5 }), f({ a: 5 }, 1)]',
    [3, 11, 6],
  ],
  [
    'a class',
    'class C { #x = 1; get x() { try { throw 1; } catch { return this.#x; } } static y = (() => 2)(); }',
    '[new C().x, C.y]',
    [1, 2],
  ],
];

for (const [title, source, use, result] of CASES) {
  test(`${title} behaves the same with counters`, (t) => {
    const run = counts(source, use);
    t.deepEqual(run.result, result);
    t.true(run.counters.some((count) => count > 0));
  });
}

test('each direction of a branch has a counter', (t) => {
  t.deepEqual(
    counts('function f(x) { if (x) return 1; return 2; }', 'f(true)').counters,
    [1, 1, 0],
  );
  t.deepEqual(
    counts('function f(x) { if (x) return 1; return 2; }', 'f(false)').counters,
    [1, 0, 1],
  );
});

test('lines keep their numbers', (t) => {
  const source = 'const a = 1;\n\nfunction f() {\n  return a\n    ? 1\n    : 2;\n}\n';
  t.is(
    countEdges(source, 'edges', () => 'x;').source.split('\n').length,
    source.split('\n').length,
  );
});

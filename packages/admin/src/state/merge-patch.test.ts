// Tests of differences as JSON Merge Patch, with the cases of RFC 7396.

import test from 'ava';
import { applyPatch, createPatch, type JsonObject, type Patch, toJson } from './merge-patch.ts';
import { splitPatch } from './split-patch.ts';

// RFC 7396, appendix A: target, patch, result.
const cases: [target: unknown, patch: unknown, result: unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];
for (const [target, patch, result] of cases)
  test(`${JSON.stringify(target)} with ${JSON.stringify(patch)}`, (t) => {
    t.deepEqual(applyPatch(target, patch), result);
  });

const states: JsonObject[] = [
  {},
  { a: 1 },
  { a: 2, b: { c: [1, { d: 2 }], e: 'x' } },
  { a: 2, b: { c: [1, { d: 3 }], e: 'x' } },
  { b: { e: 'y' }, f: {} },
  { b: [1], f: { g: true } },
];
test('the difference of two states makes one of the other', (t) => {
  for (const before of states)
    for (const after of states) {
      const patch = createPatch(before, after);
      t.deepEqual(patch === undefined ? before : applyPatch(before, patch), after);
      t.is(patch === undefined, before === after);
    }
  t.deepEqual(createPatch(states[2]!, states[3]!), { b: { c: [1, { d: 3 }] } });
});

test('values become JSON without null, and a patch cannot set a prototype', (t) => {
  const given = {
    a: undefined,
    b: null,
    c: Number.NaN,
    d: 5n,
    e: () => 1,
    f: [1, null, 'x'],
    g: -0,
  };
  t.deepEqual(toJson(given), { f: [1, 'x'], g: -0 });
  const patched = applyPatch({}, JSON.parse('{"__proto__": {"x": 1}, "a": 1}')) as object;
  t.deepEqual(Object.keys(patched), ['a']);
  t.is(Object.getPrototypeOf(patched), Object.prototype);
});

test('a member may have the name of an inherited one', (t) => {
  const patch: Patch = { constructor: { a: 'x'.repeat(30), b: 'y' }, toString: { c: 1 } as never };
  t.deepEqual(createPatch({}, patch as JsonObject), patch);
  t.deepEqual(createPatch(patch as JsonObject, {}), { constructor: null, toString: null as never });
  const whole = [...splitPatch(patch, 20)].reduce<unknown>(applyPatch, {});
  t.deepEqual(whole, patch);
  t.false(Object.hasOwn(Object, 'a'));
});

test('the parts of a large patch have the effect of the whole', (t) => {
  const state = { a: { b: { c: 'x'.repeat(30), d: 'y' }, e: [1, 2, 3] }, f: 'z', g: null as never };
  const patch = state as unknown as Patch;
  for (const most of [1, 20, 50, 1_000]) {
    const parts = [...splitPatch(patch, most)];
    t.is(parts.length > 1, most < 1_000);
    const before = { a: { b: 1, old: 2 }, g: 3 };
    t.deepEqual(
      parts.reduce<unknown>((whole, part) => applyPatch(whole, part), before),
      applyPatch(before, patch),
    );
    if (most === 50) for (const part of parts) t.true(JSON.stringify(part).length < 80);
  }
  t.deepEqual([...splitPatch({})], [{}]);
});

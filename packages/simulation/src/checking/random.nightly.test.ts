// Tests of the linearizability check on random histories: small ones, which are compared with brute
// force, and long ones.

import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { effectsOf } from './effect.ts';
import type { Operation, OperationCommand } from './history.ts';
import { checkLinearizable } from './linearizable.ts';
import { findOrder } from './search.ts';
import { shrink } from './shrink.ts';
import { hasOrder } from './testing/brute-force.ts';
import { type RandomHistory, randomHistory } from './testing/random-history.ts';

test('the checker agrees with a search of all orders on small histories of all kinds', (t) => {
  const random = seededRandom(1);
  const verdicts = { true: 0, false: 0 };
  for (let round = 0; round < 12_000; round++) {
    const operations = smallHistory(random);
    const expected = hasOrder(operations);
    const verdict = checkLinearizable(operations);
    if (verdict.linearizable !== expected)
      return t.fail(`round ${round}: not ${verdict.linearizable}\n${JSON.stringify(operations)}`);
    if (verdict.linearizable === false && hasOrder(verdict.operations))
      return t.fail(`round ${round}: no counter-example\n${verdict.text}`);
    for (const patience of [0, 3]) {
      if (findOrder(effectsOf(operations), 10_000, patience).order !== expected)
        return t.fail(`round ${round}, patience ${patience}\n${JSON.stringify(operations)}`);
    }
    verdicts[`${expected}`]++;
  }
  t.true(verdicts.true > 3_000 && verdicts.false > 3_000, JSON.stringify(verdicts));
});

test('a linearizable history stays linearizable if operations are left out', (t) => {
  const random = seededRandom(2);
  let shrunk = 0;
  for (let round = 0; round < 8_000; round++) {
    const operations = smallHistory(random);
    if (!hasOrder(operations)) continue;
    const effects = effectsOf(operations);
    const part = shrink(effects, () => random() < 0.4);
    if (part.length < effects.length) shrunk++;
    if (findOrder(part, 1_000).order !== true)
      return t.fail(`round ${round}\n${JSON.stringify(operations)}\n${JSON.stringify(part)}`);
  }
  t.true(shrunk > 2_000, String(shrunk));
});

for (const [name, ops] of mixes()) {
  test(`long histories of an atomic register pass, and fail with one stale read: ${name}`, (t) => {
    for (const seed of [1, 2]) {
      const operations = longHistory(seed, { ops }).operations;
      const passed = checkLinearizable(operations);
      t.true(passed.linearizable);
      t.true(passed.configurations < 2 * operations.length, String(passed.configurations));

      const [spoilt, stale] = withStaleRead(operations, 1_500);
      const failed = checkLinearizable(spoilt);
      if (failed.linearizable !== false) return t.fail(`seed ${seed}`);
      t.true(failed.configurations < 12 * operations.length, String(failed.configurations));
      t.true(failed.operations.length <= 4, failed.text);
      t.true(
        failed.text
          .split('\n')
          .at(-1)!
          .startsWith(`${stale.client} get x -> '${stale.result}' returned after `),
        failed.text,
      );
    }
  });
}

test('the work grows linearly with the length of a history', (t) => {
  const visited = (operations: number, spoil: boolean) => {
    const all = longHistory(7, { operations, ops: ['get', 'set'] }).operations;
    return checkLinearizable(spoil ? withStaleRead(all, operations * 0.8)[0] : all).configurations;
  };
  for (const spoil of [false, true])
    t.true(
      visited(4_000, spoil) < 5 * visited(1_000, spoil),
      `${visited(1_000, spoil)}, ${visited(4_000, spoil)}`,
    );
});

test('a few values that repeat again and again, with unknown outcomes, pass', (t) => {
  for (const seed of [1, 2, 3]) {
    const verdict = checkLinearizable(longHistory(seed, { values: 5, ops: ['get', 'set'] }));
    t.true(verdict.linearizable);
    t.true(verdict.configurations < 12_000, String(verdict.configurations));
  }
});

test('one stale read among many keys is found', (t) => {
  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
  const { operations } = longHistory(4, { operations: 4_000, keys });
  t.true(checkLinearizable(operations).linearizable);
  const ofKey = operations.filter(({ key }) => key === 'k7');
  const [spoilt, stale] = withStaleRead(ofKey, 100);
  const verdict = checkLinearizable(
    operations.map((operation) => spoilt[ofKey.indexOf(operation)] ?? operation),
  );
  t.like(verdict, { linearizable: false, key: 'k7' });
  t.true(verdict.linearizable === false && verdict.operations.includes(stale));
});

test('at the limit the result is undecided, unless another key fails', (t) => {
  const { operations } = longHistory(5, {});
  const verdict = checkLinearizable(operations, { limit: 100 });
  t.like(verdict, { linearizable: undefined, key: 'x' });
  t.true(verdict.configurations > 50 && verdict.configurations <= 100);
  t.regex((verdict as { text: string }).text, /key x, the limit of 100 was reached/);
  const wrong: Operation = {
    key: 'y',
    op: 'get',
    client: 'z',
    outcome: 'ok',
    result: 'a',
    called: 90_000,
    returned: 90_001,
  };
  t.like(checkLinearizable([...operations, wrong], { limit: 100 }), {
    linearizable: false,
    key: 'y',
  });
});

/** Returns a history of two to eight operations, some with a made-up result. */
function smallHistory(random: Random): Operation[] {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
  const options = {
    operations: 2 + Math.floor(random() * 7),
    clients: 2 + Math.floor(random() * 3),
    values: pick([2, 3]),
    unknown: pick([0, 0.2, 0.4]),
  };
  const operations = randomHistory(random, {
    ...options,
    ops: pick(mixes().map(([, ops]) => ops)),
  }).operations.map((operation) => ({ ...operation }));
  for (let lies = pick([0, 1, 1, 2]); lies > 0; lies--) {
    const operation = pick(operations);
    if (operation.outcome !== 'ok') continue;
    const lie = {
      get: ['v0', 'v1', undefined],
      set: ['v0', 'v1', null],
      delete: [true, false],
      cas: [true, false],
    }[operation.op];
    Object.assign(operation, { result: pick<string | boolean | null | undefined>(lie) });
  }
  return operations;
}

function longHistory(seed: number, options: Partial<RandomHistory>) {
  return randomHistory(seededRandom(seed), {
    operations: 2_000,
    clients: 10,
    values: Number.POSITIVE_INFINITY,
    unknown: 0.05,
    ...options,
  });
}

/**
 * Gives the first read after `index` the value of a set that another set had certainly overwritten.
 */
function withStaleRead(
  operations: readonly Operation[],
  index: number,
): [operations: Operation[], stale: Operation] {
  const read = operations.find(
    ({ op, outcome }, place) => place >= index && op === 'get' && outcome === 'ok',
  )!;
  const writes = operations.filter(
    ({ op, outcome, returned }) => op === 'set' && outcome === 'ok' && returned! < read.called,
  );
  const last = writes.reduce((last, write) => (write.returned! > last.returned! ? write : last));
  const old = writes.findLast(({ returned }) => returned! < last.called) as Operation & {
    value: string;
  };
  const stale: Operation = { ...read, result: old.value };
  return [operations.map((operation) => (operation === read ? stale : operation)), stale];
}

function mixes(): [name: string, ops: OperationCommand['op'][] | undefined][] {
  return [
    ['of everything', undefined],
    ['reads and writes', ['get', 'set']],
    ['mostly writes', ['set', 'set', 'set', 'get']],
    ['with many deletes', ['get', 'get', 'get', 'set', 'set', 'delete']],
    ['with many cas', ['cas', 'cas', 'set', 'get']],
    ['each as often', ['cas', 'get', 'delete', 'set']],
  ];
}

test('ten thousand operations with a stale read are judged, with a small counter-example', (t) => {
  for (const unknown of [0, 0.05]) {
    const history = longHistory(3, { operations: 10_000, unknown, ops: ['get', 'set'] });
    const [spoilt, stale] = withStaleRead(history.operations, 9_000);
    const verdict = checkLinearizable(spoilt);
    t.true(verdict.linearizable === false && verdict.operations.includes(stale));
    t.true(verdict.linearizable === false && verdict.operations.length <= 4);
  }
});

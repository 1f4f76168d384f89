// Tests of delta debugging alone, on lists of numbers.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { smallest } from './shrink.ts';

const list = Array.from({ length: 40 }, (_, index) => index);

test('if some elements of a list fail only together, those are left, in order', async (t) => {
  const random = seededRandom(1);
  for (let round = 0; round < 200; round++) {
    const guilty = list.filter(() => random() < random() / 4);
    const tried = new Set<string>();
    const found = await smallest(list, async (part) => {
      t.false(tried.has(part.join()));
      tried.add(part.join());
      return guilty.every((element) => part.includes(element));
    });
    t.deepEqual(found, guilty);
  }
});

test('no single element of the result can be removed, whatever makes it fail', async (t) => {
  const random = seededRandom(2);
  for (let round = 0; round < 50; round++) {
    const weights = list.map(() => random());
    const fails = async (part: readonly number[]) =>
      part.reduce((sum, element) => sum + weights[element]!, 0) > 3;
    const found = await smallest(list, fails);
    t.true(await fails(found));
    for (const element of found) t.false(await fails(found.filter((other) => other !== element)));
  }
});

test('a list that fails without any element becomes empty, and so does an empty one', async (t) => {
  t.deepEqual(await smallest(list, async () => true), []);
  t.deepEqual(await smallest([], async () => false), []);
});

test('elements that can be removed only in pairs are removed', async (t) => {
  const random = seededRandom(3);
  for (let round = 0; round < 50; round++) {
    // Each of ten elements has a partner somewhere; without its partner, it hides the failure.
    const ends = list.slice(0, 20).sort(() => random() - 0.5);
    const pairs = Array.from({ length: 10 }, (_, index) => ends.slice(2 * index, 2 * index + 2));
    const guilty = pairs[0]!;
    const found = await smallest(list, async (part) => {
      const isWhole = ([one, other]: number[]) => part.includes(one!) === part.includes(other!);
      return guilty.every((element) => part.includes(element)) && pairs.every(isWhole);
    });
    t.deepEqual(
      found,
      [...guilty].sort((a, b) => a - b),
    );
  }
});

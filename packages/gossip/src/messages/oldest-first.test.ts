// Tests of the map that finds its oldest entry quickly.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { OldestFirst } from './oldest-first.ts';

test('the map has the same oldest entry as a Map whose updated entries move to the end, whatever is deleted', (t) => {
  const random = seededRandom(1);
  for (let round = 0; round < 50; round++) {
    const map = new OldestFirst<{ n: number }>();
    const model = new Map<string, { n: number }>();
    const keys = 1 + Math.floor(random() * 30);
    for (let step = 0; step < 300; step++) {
      const key = String(Math.floor(random() * keys));
      if (random() < 0.5) {
        const value = { n: step };
        map.set(key, value);
        model.delete(key);
        model.set(key, value);
      } else {
        const gone = random() < 0.5 ? key : (model.keys().next().value ?? key);
        t.is(map.delete(gone), model.delete(gone));
      }
      if (random() < 0.7) t.deepEqual(map.oldest, model.entries().next().value);
      t.is(map.size, model.size);
      t.is(map.get(key), model.get(key));
    }
    t.deepEqual([...map.entries()], [...model.entries()]);
  }
});

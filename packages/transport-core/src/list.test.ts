// Tests of the linked list.

import test from 'ava';
import { List, type ListEntry } from './list.ts';
import { seededRandom } from './random.ts';

class Item implements ListEntry {
  list: List<ListEntry> | undefined = undefined;
  before: ListEntry | undefined = undefined;
  after: ListEntry | undefined = undefined;
  readonly name: number;
  constructor(name: number) {
    this.name = name;
  }
}

const names = (list: List<Item>) => [...list].map((item) => item.name);
const listOf = (...items: Item[]) => {
  const list = new List<Item>();
  for (const item of items) list.push(item);
  return list;
};
const items = (count: number) => Array.from({ length: count }, (_, i) => new Item(i));

test('an entry can be removed from any position and added to another list', (t) => {
  const all = items(3);
  for (const leaver of all) {
    const list = listOf(...all);
    t.true(list.remove(leaver));
    t.is(leaver.list, undefined);
    t.deepEqual(
      names(list),
      [0, 1, 2].filter((name) => name !== leaver.name),
    );
    const other = listOf(leaver);
    t.deepEqual(names(other), [leaver.name]);
    for (const item of all) item.list?.remove(item);
  }
});

test('removing an entry that is not in the list does nothing', (t) => {
  const [a, b] = items(2) as [Item, Item];
  const list = listOf(a);
  const other = listOf(b);
  t.false(list.remove(b));
  t.true(list.remove(a));
  t.false(list.remove(a));
  t.is(other.length, 1);
  t.is(list.length, 0);
});

test('the current entry of an iteration may be removed', (t) => {
  const list = listOf(...items(5));
  const seen: number[] = [];
  for (const item of list) {
    seen.push(item.name);
    if (item.name % 2 === 0) list.remove(item);
  }
  t.deepEqual(seen, [0, 1, 2, 3, 4]);
  t.deepEqual(names(list), [1, 3]);
});

test('an iteration whose next entry is removed continues at the first entry', (t) => {
  const [a, b, c, d] = items(4) as [Item, Item, Item, Item];
  const list = listOf(a, b, c, d);
  const other = new List<Item>();
  const seen: number[] = [];
  for (const item of list) {
    seen.push(item.name);
    if (item === a && list.remove(a)) list.remove(b);
    if (item === c && list.remove(d)) other.push(d);
  }
  t.deepEqual(seen, [0, 2, 2]);
  t.deepEqual(names(other), [3]);
});

test('a list agrees with an array after any operations', (t) => {
  const random = seededRandom(1);
  const list = new List<Item>();
  let model: Item[] = [];
  for (let step = 0; step < 3_000; step++) {
    const draw = random();
    if (draw < 0.45) {
      const item = new Item(step);
      list.push(item);
      model.push(item);
    } else if (draw < 0.6) t.is(list.shift(), model.shift());
    else if (draw < 0.7) {
      list.rotate();
      if (model.length > 1) model = [...model.slice(1), model[0]!];
    } else if (model.length > 0) {
      const [item] = model.splice(Math.floor(random() * model.length), 1);
      t.true(list.remove(item!));
    }
    if (list.length !== model.length || list.first !== model[0] || list.last !== model.at(-1))
      t.fail(`step ${step}`);
  }
  t.deepEqual(
    names(list),
    model.map((item) => item.name),
  );
});

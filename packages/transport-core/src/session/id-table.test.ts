// Tests the tables of call ids: our own dense ids, and the arbitrary ids of a peer.

import { serialize } from 'node:v8';
import test from 'ava';
import { seededRandom } from '../random.ts';
import { PeerIds } from './incoming-calls.ts';
import { Slots } from './outgoing-calls.ts';

interface Entry {
  id: number;
  assignId(id: number): void;
}
const entry = (): Entry => ({
  id: 0,
  assignId(id) {
    this.id = id;
  },
});

/** Adds a new entry, and returns it. */
const added = (slots: Slots<Entry>) => {
  const call = entry();
  slots.add(call);
  return call;
};

test('ids have the parity of their side, are at least 1 and dense', (t) => {
  for (const parity of [0, 1] as const) {
    const slots = new Slots<Entry>(parity);
    const ids = Array.from({ length: 100 }, () => added(slots).id);
    t.is(new Set(ids).size, 100);
    for (const id of ids) t.true(id >= 1 && id % 2 === parity, String(id));
    t.true(ids.filter((id) => id < 202).length >= 99);
  }
});

test('an id finds its entry until it is deleted, and an old one finds nothing', (t) => {
  const slots = new Slots<Entry>(1);
  const first = added(slots);
  const old = first.id;
  t.is(slots.get(old), first);
  slots.delete(first);
  t.is(slots.get(old), undefined);
  const second = added(slots);
  t.not(second.id, old);
  t.is(slots.get(old), undefined);
  t.is(slots.get(second.id), second);
});

test('deleting twice, or deleting a missing entry, does nothing', (t) => {
  const slots = new Slots<Entry>(1);
  const [first, second] = [entry(), entry()];
  slots.add(first);
  slots.delete(first);
  slots.add(second);
  slots.delete(first);
  t.is(slots.size, 1);
  t.is(slots.get(second.id), second);
  slots.delete(second);
  slots.delete(second);
  t.is(slots.size, 0);
  t.not(added(slots).id, added(slots).id);
});

test('a slot is used again by its last generation but one: ids stay dense, and none comes back soon', (t) => {
  const slots = new Slots<Entry>(1);
  const seen = new Set<number>();
  for (let i = 0; i < 1_000; i++) {
    const call = added(slots);
    if (seen.has(call.id)) t.fail(`id ${call.id} came back after ${i}`);
    seen.add(call.id);
    slots.delete(call);
  }
  t.is(slots.size, 0);
});

for (const parity of [0, 1] as const) {
  test(`ids wrap below 2^31, and skip 0 and the ids in use (parity ${parity})`, (t) => {
    const slots = new Slots<Entry>(parity);
    const living = added(slots);
    const { id } = living;
    let highest = 0;
    let last = 0;
    const ids = new Set<number>();
    for (let i = 0; i < 70_000; i++) {
      const call = added(slots);
      if (call.id < 1 || call.id > 0x7fff_ffff || call.id % 2 !== parity || call.id === id)
        t.fail(`${call.id}`);
      if (i < 16_384) ids.add(call.id);
      highest = Math.max(highest, call.id);
      last = call.id;
      slots.delete(call);
    }
    t.true(highest > 0x7ff0_0000);
    t.true(last < highest);
    t.true(ids.size >= 16_383);
    t.is(slots.get(id), living);
  });
}

test('ids always remain small integers of V8, because others would deoptimize all code that uses calls', (t) => {
  const slots = new Slots<Entry>(1);
  for (let i = 0; i < 40_000; i++) {
    const call = added(slots);
    // V8 serializes a small integer with the tag I, and a number on the heap with N.
    if (String.fromCharCode(serialize(call.id)[2]!) !== 'I')
      return t.fail(`id ${call.id} after ${i} calls`);
    slots.delete(call);
  }
  t.pass();
});

test('the first slot of an acceptor never gives id 0, however often it wraps', (t) => {
  const slots = new Slots<Entry>(0);
  for (let i = 0; i < 70_000; i++) {
    const call = added(slots);
    if (call.id === 0) t.fail(`id 0 after ${i}`);
    slots.delete(call);
  }
  t.pass();
});

test('65,536 calls fill the table', (t) => {
  const slots = new Slots<Entry>(1);
  const calls = Array.from({ length: 0x1_0000 }, entry);
  for (const call of calls) {
    if (slots.full) t.fail('full too early');
    slots.add(call);
  }
  t.true(slots.full);
  t.is(new Set(calls.map((call) => call.id)).size, 0x1_0000);
  slots.delete(calls[77]!);
  t.false(slots.full);
  t.is(slots.values().length, 0xffff);
});

test('ids of one slot number do not hide each other', (t) => {
  const ids = new PeerIds<{ id: number }>();
  const near = { id: 1 };
  const far = { id: 1 + 0x2_0000 };
  ids.set(near);
  ids.set(far);
  t.is(ids.get(1), near);
  t.is(ids.get(far.id), far);
  ids.delete(near);
  t.is(ids.get(1), undefined);
  t.is(ids.get(far.id), far);
  ids.delete(near);
  t.is(ids.size, 1);
});

test('the ids of a peer agree with a Map after any operations', (t) => {
  const random = seededRandom(4);
  const ids = new PeerIds<{ id: number }>();
  const model = new Map<number, { id: number }>();
  for (let step = 0; step < 20_000; step++) {
    const id =
      random() < 0.7
        ? 1 + 2 * Math.floor(random() * 200)
        : (Math.floor(random() * 0x8000_0000) * 2 + 1) >>> 0;
    const live = model.get(id);
    if (ids.get(id) !== live) t.fail(`step ${step}, id ${id}`);
    if (live === undefined) {
      const call = { id };
      model.set(id, call);
      ids.set(call);
    } else if (random() < 0.8) {
      model.delete(id);
      ids.delete(live);
    }
    if (model.size > 300) {
      for (const call of [...model.values()].slice(0, 100)) {
        ids.delete(call);
        model.delete(call.id);
      }
    }
    if (ids.size !== model.size) t.fail(`step ${step}: ${ids.size} of ${model.size}`);
  }
  const left = [...ids.values()];
  t.is(left.length, model.size);
  for (const call of left) t.is(model.get(call.id), call);
});

test('a peer that chooses far ids does not cause a large array', (t) => {
  const ids = new PeerIds<{ id: number }>();
  for (let i = 0; i < 1_000; i++) ids.set({ id: 1 + 2 * (60_000 - i) });
  t.is(Reflect.get(ids, 'dense').length, 0);
});

test('the highest slot shows how many calls of a dense peer are in flight, until it is read', (t) => {
  const slots = new Slots<Entry>(1);
  const ids = new PeerIds<{ id: number }>();
  for (let i = 0; i < 100; i++) {
    const call = added(slots);
    ids.set(call);
  }
  t.is(ids.takePeak(), 100);
  ids.set({ id: 2 * 6 + 1 });
  t.is(ids.takePeak(), 7);
});

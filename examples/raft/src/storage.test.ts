// Tests RaftStorage: what was saved is loaded again, and obsolete keys are deleted.

import test from 'ava';
import { MemoryStore } from './memory-store.ts';
import type { Entry, Save, Saved } from './messages.ts';
import { RaftStorage } from './storage.ts';

const entry = (term: number, text: string): Entry => ({
  term,
  command: new TextEncoder().encode(text),
});
const start = { index: 0, term: 0 };

async function reloaded(...saves: Save[]): Promise<{ saved: Saved | undefined; keys: string[] }> {
  const store = new MemoryStore();
  const storage = new RaftStorage(store);
  for (const save of saves) await storage.save(save);
  const saved = await new RaftStorage(store).load();
  const entries =
    saved?.entries.map(({ term, command }) => ({ term, command: Uint8Array.from(command) })) ?? [];
  return {
    saved: saved && { ...saved, entries },
    keys: (await store.keys()).filter((key) => key.includes('log/')),
  };
}

test('a new store is empty', async (t) => {
  t.is((await reloaded()).saved, undefined);
});

test('term, vote and entries are restored, with new entries after old ones', async (t) => {
  const { saved } = await reloaded(
    { term: 1, votedFor: 'a', base: start, first: 1, last: 1, entries: [entry(1, 'x')] },
    { term: 2, votedFor: '', base: start, first: 2, last: 2, entries: [entry(2, 'y')] },
  );
  t.like(saved, { term: 2, votedFor: '', base: start });
  t.deepEqual(saved!.entries, [entry(1, 'x'), entry(2, 'y')]);
});

test('entries that a leader replaced are gone', async (t) => {
  const { saved, keys } = await reloaded(
    {
      term: 1,
      votedFor: '',
      base: start,
      first: 1,
      last: 3,
      entries: [entry(1, 'x'), entry(1, 'y'), entry(1, 'z')],
    },
    { term: 2, votedFor: '', base: start, first: 2, last: 2, entries: [entry(2, 'other')] },
  );
  t.deepEqual(saved!.entries, [entry(1, 'x'), entry(2, 'other')]);
  t.is(keys.length, 2);
});

test('a snapshot replaces entries, and a later save without one keeps it', async (t) => {
  const snapshot = { index: 2, term: 1, data: new TextEncoder().encode('x and y') };
  const { saved, keys } = await reloaded(
    {
      term: 1,
      votedFor: '',
      base: start,
      first: 1,
      last: 3,
      entries: [entry(1, 'x'), entry(1, 'y'), entry(1, 'z')],
    },
    {
      term: 1,
      votedFor: '',
      base: { index: 2, term: 1 },
      first: 4,
      last: 3,
      entries: [],
      snapshot,
    },
    { term: 2, votedFor: '', base: { index: 2, term: 1 }, first: 4, last: 3, entries: [] },
  );
  t.like(saved, { base: { index: 2, term: 1 }, snapshot: { index: 2, term: 1 } });
  t.deepEqual(saved!.entries, [entry(1, 'z')]);
  t.deepEqual(keys, ['raft/log/3']);
});

test('a store that has lost an entry is refused', async (t) => {
  const store = new MemoryStore();
  await new RaftStorage(store).save({
    term: 1,
    votedFor: '',
    base: start,
    first: 1,
    last: 1,
    entries: [entry(1, 'x')],
  });
  await store.delete('raft/log/1');
  await t.throwsAsync(new RaftStorage(store).load(), {
    message: 'the store has lost entry 1 of a log that ends at 1',
  });
});

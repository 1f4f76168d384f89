// Tests RaftStorage: what was saved is loaded again, and obsolete keys are deleted.

import { createMemoryStore } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { Save } from './messages.ts';
import { RaftStorage } from './storage.ts';

/** Returns a save whose entries have these terms, each with its index as the command. */
function saveOf(first: number, terms: readonly number[], rest: Partial<Save> = {}): Save {
  const entries = terms.map((term, i) => ({ term, command: new Uint8Array([first + i]) }));
  const base = { index: 0, term: 0 };
  const last = first + terms.length - 1;
  return { term: 1, votedFor: '', base, first, last, entries, ...rest };
}

async function reloaded(...saves: readonly Save[]) {
  const store = createMemoryStore();
  const storage = new RaftStorage(store);
  for (const save of saves) await storage.save(save);
  const saved = (await new RaftStorage(store).load())!;
  return {
    ...saved,
    entries: saved?.entries.map(({ term, command }) => [term, ...command]),
    keys: (await store.keys()).filter((key) => key.includes('log/')),
  };
}

test('term, vote and entries are restored, with new entries after old ones', async (t) => {
  t.is(await new RaftStorage(createMemoryStore()).load(), undefined);
  const saved = await reloaded(saveOf(1, [1], { votedFor: 'a' }), saveOf(2, [2], { term: 2 }));
  t.like(saved, { term: 2, votedFor: '', base: { index: 0, term: 0 } });
  t.is(saved.entries.join(' '), '1,1 2,2');
});

test('entries that a leader replaced are gone', async (t) => {
  const { entries, keys } = await reloaded(saveOf(1, [1, 1, 1]), saveOf(2, [2], { term: 2 }));
  t.is(entries.join(' '), '1,1 2,2');
  t.is(keys.length, 2);
});

test('a snapshot replaces entries, and a later save without one keeps it', async (t) => {
  const base = { index: 2, term: 1 };
  const snapshot = { ...base, data: new Uint8Array([1, 2]) };
  const saved = await reloaded(
    saveOf(1, [1, 1, 1]),
    saveOf(4, [], { base, snapshot }),
    saveOf(4, [], { term: 2, base }),
  );
  t.like(saved, { base, snapshot: base });
  t.is(saved.entries.join(' '), '1,3');
  t.deepEqual(saved.keys, ['raft/log/3']);
});

test('a store that has lost an entry is refused', async (t) => {
  const store = createMemoryStore();
  await new RaftStorage(store).save(saveOf(1, [1]));
  await store.delete('raft/log/1');
  await t.throwsAsync(new RaftStorage(store).load(), {
    message: 'the store has lost entry 1 of a log that ends at 1',
  });
});

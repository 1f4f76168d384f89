import { createFileStore } from '@trunkline/peers/node';
import type { Store } from 'trunkline';
import { createMemoryStore } from 'trunkline/testing';

/** For tests: nothing outlives the process. */
export const forgetful = createMemoryStore();

/** Counts the starts of a node and keeps the number. */
export async function countStart(store: Store): Promise<number> {
  const kept = await store.get('starts');
  const starts = kept === undefined ? 1 : Number(new TextDecoder().decode(kept)) + 1;
  await store.set('starts', new TextEncoder().encode(`${starts}`));
  await store.sync(); // safe from a crash from here on
  return starts;
}

export async function startOf(folder: string): Promise<number> {
  await using store = createFileStore(folder);
  return await countStart(store);
}

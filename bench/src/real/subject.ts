// Loads a measured library by the name of its row, and nothing else.

import type { Adapter } from '../adapters/adapter.ts';
import type { CallScenario } from '../scenarios.ts';
import { BARE, type Carrier, type Library, OURS, PEERS } from './library.ts';

/** An adapter with the scenarios that its clients run. */
export interface Subject extends Pick<Adapter, 'serve'> {
  connect(address: string): Promise<any>;
  readonly scenarios: readonly CallScenario<any>[];
}

/** Loads the library of a row such as 'Trunkline over TLS'; undefined for any other name. */
export async function subjectOf(row: string): Promise<Subject | undefined> {
  const [name, carrier] = row.split(' over ') as [string, Carrier | undefined];
  if (carrier === undefined) return undefined;
  const { serve, connect } = await libraryOf(name);
  return {
    serve: () => serve(carrier),
    connect: (address) => connect(carrier, address),
    scenarios: (await import('./tasks.ts')).TASKS,
  };
}

async function libraryOf(name: string): Promise<Library> {
  if (name === BARE) return (await import('./bare.ts')).bare;
  if (name === OURS) return (await import('./trunkline.ts')).trunkline;
  const { href } = new URL(`../../peers/real/${PEERS[name]!.module}`, import.meta.url);
  return ((await import(href)) as { library: Library }).library;
}

// A simulated node that a test starts and closes itself, and what such tests have in common.

import type { Simulation } from '@trunkline/simulation';
import type { Transport, TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import type { PeersOptions } from '../options.ts';
import { createPeers, type Peers } from '../peers.ts';
import type { AddressBookStore } from '../store/address-book-store.ts';
import { echo, idOf } from './cluster.ts';

/** A node that the test starts and closes itself. */
export async function bare(sim: Simulation, name: string, options: Partial<PeersOptions> = {}) {
  const made: { readonly transport: Transport<typeof echo>; readonly peers: Peers }[] = [];
  const identity = { nodeId: idOf(name) };
  sim.node(name, ({ transport: make }) => {
    const transport = make(echo);
    made.push({ transport, peers: createPeers({ transport, identity, ...options }) });
  });
  await sim.until(() => made.length > 0);
  return made[0]!;
}

/** Returns the error with which a promise rejects. */
export async function failureOf(promise: Promise<unknown>): Promise<TransportError> {
  return promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as TransportError,
  );
}

/** Asserts that no events are left except messages in flight. */
export async function nothingIsLeft(
  t: ExecutionContext,
  sim: Simulation,
  text: string,
): Promise<void> {
  const began = sim.now;
  t.regex(
    (await failureOf(sim.until(() => false, 3_600_000))).message,
    /no further event can happen/,
    text,
  );
  t.true(sim.now - began < 100, text);
}

/** A store that keeps nothing, with some methods replaced. */
export function storeOf(doing: Partial<AddressBookStore> = {}): AddressBookStore {
  return {
    load: async () => ({ value: undefined, warnings: [] }),
    save: async () => {},
    close: async () => {},
    ...doing,
  };
}

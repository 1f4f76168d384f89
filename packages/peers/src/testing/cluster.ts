// Simulated nodes with peers, for tests.

import type { SimTransportOptions, Simulation } from '@trunkline/simulation';
import { defineProtocol, json, type Transport } from '@trunkline/transport-core';
import * as z from 'zod/mini';
import type { PeersOptions } from '../options.ts';
import { createPeers, type Peers } from '../peers.ts';
import { createStoreAddressBook } from '../store/address-book-store.ts';
import type { PeerEvent } from '../types.ts';

export const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: {
    say: { id: 1, request: json(z.string()), response: json(z.string()) },
    hint: { id: 2, request: json(z.string()) },
  },
});

/** A node of a {@link cluster}. */
export interface TestNode {
  readonly name: string;
  readonly transport: Transport<typeof echo>;
  readonly peers: Peers<any>;
  readonly events: PeerEvent<any>[];
  /** The hints it received, in order. */
  readonly hints: string[];
}

/** Options of {@link cluster}. */
export interface ClusterOptions {
  readonly peers?: (name: string) => Partial<PeersOptions<any>>;
  readonly transport?: SimTransportOptions | ((name: string) => SimTransportOptions);
  /** True if the address book survives restarts (the default). */
  readonly durable?: boolean;
}

/**
 * Declares nodes whose ids are derived from their names, and therefore stay the same after a
 * restart. Returns a map of the nodes that are up.
 */
export function cluster(
  sim: Simulation,
  names: readonly string[],
  { peers: given = () => ({}), transport: common = {}, durable = true }: ClusterOptions = {},
): Map<string, TestNode> {
  const nodes = new Map<string, TestNode>();
  for (const name of names) {
    sim.node(name, async ({ transport: make, store }) => {
      const transport = make(echo, typeof common === 'function' ? common(name) : common);
      const peers = createPeers<any>({
        transport,
        identity: { nodeId: idOf(name) },
        ...(durable ? { addressBook: createStoreAddressBook(store) } : {}),
        ...given(name),
      });
      const node: TestNode = { name, transport, peers, events: [], hints: [] };
      void (async () => {
        for await (const event of peers.events()) node.events.push(event);
      })();
      await transport.listen();
      void (async () => {
        for await (const rpc of transport.consumer()) {
          if (rpc.method === 'say') rpc.respond(`${name}: ${rpc.request}`);
          else node.hints.push(rpc.request);
        }
      })();
      nodes.set(name, node);
      await peers.start();
      return async () => {
        nodes.delete(name);
        await peers.close();
        await transport.close();
      };
    });
  }
  return nodes;
}

/** Options of a node that does not dial on its own initiative. */
export const passive: Partial<PeersOptions> = { maxOutbound: 0 };

/** Returns whether the node with this name is a peer of a node, which may be down. */
export function isLinked(node: TestNode | undefined, name: string): boolean {
  return node?.peers.get(idOf(name)) !== undefined;
}

/** Derives a node id from a name. */
export function idOf(name: string): string {
  let hex = '';
  for (let round = 0; hex.length < 64; round++) {
    let hash = 0x811c_9dc5 ^ (round * 0x9e37_79b9);
    for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x0100_0193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
    hex += ((hash ^ (hash >>> 13)) >>> 0).toString(16).padStart(8, '0');
  }
  return hex;
}

/** Returns the sorted names of the nodes that are connected to a node. */
export function connected(node: TestNode, names: readonly string[]): string[] {
  const byId = new Map(names.map((name) => [idOf(name), name]));
  return node.peers
    .list()
    .map((peer) => byId.get(peer.nodeId) ?? peer.nodeId)
    .sort();
}

// Simulated nodes with peers, for tests.

import type { SimTransportOptions, Simulation } from '@trunkline/simulation';
import { defineProtocol, json, type Protocol, type Transport } from '@trunkline/transport-core';
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
  readonly peers?: Partial<PeersOptions<any>> | ((name: string) => Partial<PeersOptions<any>>);
  readonly transport?: SimTransportOptions | ((name: string) => SimTransportOptions);
  /** The protocol of the transports, instead of `echo`. */
  readonly protocol?: Protocol;
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
  { peers: given = {}, transport: common = {}, protocol, durable = true }: ClusterOptions = {},
): Map<string, TestNode> {
  const nodes = new Map<string, TestNode>();
  for (const name of names) {
    sim.node(name, async ({ transport: make, store }) => {
      const spoken = (protocol ?? echo) as typeof echo;
      const transport = make(spoken, typeof common === 'function' ? common(name) : common);
      const peers = createPeers<any>({
        transport,
        identity: { nodeId: idOf(name) },
        ...(durable ? { addressBook: createStoreAddressBook(store) } : {}),
        ...(typeof given === 'function' ? given(name) : given),
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

type Nodes<Names extends readonly string[]> = { readonly [K in keyof Names]: TestNode };

/** Starts a {@link cluster} and returns its nodes once all are up. */
export async function boot<const Names extends readonly string[]>(
  sim: Simulation,
  names: Names,
  options?: ClusterOptions,
): Promise<Nodes<Names>> {
  const nodes = cluster(sim, names, options);
  await sim.until(() => nodes.size === names.length, 10_000);
  return names.map((name) => nodes.get(name)) as unknown as Nodes<Names>;
}

/**
 * Starts the node `a`, whose persistent peers are the others, which are passive. Returns all of
 * them once they are linked.
 *
 * @param own further options of `a`.
 */
export async function star<const Names extends readonly string[]>(
  sim: Simulation,
  others: Names,
  own: Partial<PeersOptions<any>> = {},
  options: Omit<ClusterOptions, 'peers'> = {},
): Promise<readonly [TestNode, ...Nodes<Names>]> {
  const [a, ...rest] = await boot(sim, ['a', ...others], {
    ...options,
    peers: (name) => (name === 'a' ? { persistent: others, ...own } : passive),
  });
  await sim.until(() => rest.every((node) => isLinked(a, node!.name) && isLinked(node, 'a')));
  return [a, ...(rest as unknown as Nodes<Names>)];
}

/** Starts the node `a` with the given options, and passive nodes whose persistent peer it is. */
export function hub<const Names extends readonly string[]>(
  sim: Simulation,
  others: Names,
  own: Partial<PeersOptions<any>> = {},
): Promise<readonly [TestNode, ...Nodes<Names>]> {
  const peers = (name: string) => ({ ...passive, ...(name === 'a' ? own : { persistent: ['a'] }) });
  return boot(sim, ['a', ...others], { peers, durable: false }) as Promise<never>;
}

/** Starts nodes that are each other's persistent peers. Returns them once all are linked. */
export async function mesh<const Names extends readonly string[]>(
  sim: Simulation,
  names: Names,
  options: Partial<PeersOptions<any>> = {},
): Promise<Nodes<Names>> {
  const nodes = await boot(sim, names, {
    peers: (name) => ({
      ...options,
      persistent: names.filter((other) => other !== name).map(targetOf),
    }),
    durable: false,
  });
  const most = names.length - 1;
  await sim.until(() => nodes.every(({ peers }) => peers.list().length === most), 20_000);
  return nodes;
}

/** Returns the target of a node with its id. */
export function targetOf(name: string): string {
  return `${idOf(name)}@${name}`;
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

// Simulated nodes with peers and gossip, for tests.

import {
  createPeers,
  createStoreAddressBook,
  type Peers,
  type PeersOptions,
} from '@trunkline/peers';
import {
  createSimulation,
  type SimTransportOptions,
  type Simulation,
  type SimulationLevel,
  type SimulationOptions,
} from '@trunkline/simulation';
import { defineProtocol, json, type Store, type Transport } from '@trunkline/transport-core';
import * as z from 'zod/mini';
import { createGossip, type Gossip } from '../gossip.ts';
import type { GossipOptions } from '../options.ts';
import { fullMesh } from '../overlay/full-mesh.ts';
import type { GossipEvent, MessageMeta, ReceivedMessage, TopicOptions } from '../types.ts';
import { isNightly, seeds } from './seeds.ts';

export const idle = defineProtocol({
  name: 'idle',
  version: 1,
  channel: 0x20,
  methods: { nothing: { id: 1, request: json(z.null()) } },
});
export const words = json(z.string());

/** A running node. */
export interface TestNode {
  readonly name: string;
  readonly nodeId: string;
  readonly transport: Transport<typeof idle>;
  readonly peers: Peers<any>;
  readonly gossip: Gossip;
  readonly events: GossipEvent[];
}

/** Options of the nodes, by name. */
export interface ClusterOptions {
  readonly gossip?: (name: string, store: Store) => Partial<GossipOptions>;
  readonly peers?: (name: string) => Partial<PeersOptions<any>>;
  readonly transport?: SimTransportOptions;
  /** Called in each life of a node, before gossip starts. */
  readonly setup?: (node: TestNode) => void;
  /** True if gossip is started (the default). */
  readonly start?: boolean;
  /** The map that holds the nodes that are up. Default: a new map. */
  readonly nodes?: Map<string, TestNode>;
}

/**
 * Declares nodes whose ids are made of their names. Unless `peers` says otherwise, all of them are
 * peers of each other. Returns the nodes that are up.
 */
export function cluster(
  sim: Simulation,
  names: readonly string[],
  options: ClusterOptions = {},
): Map<string, TestNode> {
  const { nodes = new Map<string, TestNode>() } = options;
  for (const name of names) {
    sim.node(name, async ({ transport: make, store, clock }) => {
      const transport = make(idle, options.transport ?? {});
      const peers = createPeers<any>({
        transport,
        identity: { nodeId: idOf(name) },
        addressBook: createStoreAddressBook(store),
        maxOutbound: 0,
        persistent: names.filter((other) => other < name),
        ...options.peers?.(name),
      });
      const gossip = createGossip({
        transport,
        peers,
        overlay: fullMesh(),
        wall: () => clock.wall(),
        ...options.gossip?.(name, store),
      });
      const node: TestNode = { name, nodeId: gossip.nodeId, transport, peers, gossip, events: [] };
      void (async () => {
        for await (const event of gossip.events()) node.events.push(event);
      })();
      options.setup?.(node);
      await transport.listen();
      if (options.start ?? true) await gossip.start();
      await peers.start();
      nodes.set(name, node);
      return async () => {
        nodes.delete(name);
        await gossip.close();
        await peers.close();
        await transport.close();
      };
    });
  }
  return nodes;
}

/** A topic of a node, and everything that the node receives on it. */
export type Subscriber = ReturnType<typeof listen>;

/**
 * Opens a topic and collects its messages: in `heard` with their metadata, and in `words` without.
 */
export function listen(
  node: TestNode,
  name: string | Uint8Array = 'news',
  options: TopicOptions<string> = {},
) {
  const topic = node.gossip.topic(name, words, options);
  const heard: ReceivedMessage<string>[] = [];
  const said: string[] = [];
  const subscription = topic.subscribe((message: string, meta: MessageMeta) => {
    heard.push({ message, meta });
    said.push(message);
  });
  return { topic, heard, words: said, subscription };
}

/** Options of nodes that listen to 'news'. */
export interface MeetOptions extends Omit<ClusterOptions, 'setup' | 'start'> {
  /** Returns the options of a node's topic, or undefined if the node does not listen. */
  readonly topic?: (name: string, node: TestNode) => TopicOptions<string> | undefined;
  /** The number of neighbors to wait for at each listener. Default: all other nodes. */
  readonly neighbors?: number;
  /** Called before the nodes boot. */
  readonly prepare?: (sim: Simulation) => void;
  readonly simulation?: Omit<SimulationOptions, 'seed' | 'level'>;
}

/** Sets up nodes that listen to 'news', and waits until they are neighbors. */
export async function meet(
  run: Run,
  names: readonly string[],
  {
    topic = () => ({}),
    neighbors = names.length - 1,
    prepare = () => {},
    simulation,
    ...options
  }: MeetOptions = {},
) {
  const sim = simulationOf(run, simulation);
  prepare(sim);
  const subscribers = new Map<string, Subscriber>();
  const nodes = cluster(sim, names, {
    ...options,
    setup: (node) => {
      const chosen = topic(node.name, node);
      if (chosen !== undefined) subscribers.set(node.name, listen(node, 'news', chosen));
    },
  });
  /** Waits until all nodes are up and each listener has at least this number of neighbors. */
  const met = (least = neighbors) =>
    sim.until(
      () =>
        nodes.size === names.length &&
        [...subscribers.values()].every((one) => one.topic.neighbors.length >= least),
      120_000,
    );
  await met();
  return {
    sim,
    nodes,
    subscribers,
    met,
    node: (name: string) => nodes.get(name)!,
    subscriber: (name: string) => subscribers.get(name)!,
  };
}

/** Returns true if all of these nodes have exactly that many neighbors on their topic. */
export function areMet(subscribers: Iterable<Subscriber>, neighbors: number): boolean {
  return [...subscribers].every(({ topic }) => topic.neighbors.length === neighbors);
}

/** Returns the names of numbered nodes: n00, n01, … */
export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${String(i).padStart(2, '0')}`);
}

/** Returns a node id for a name. */
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

/** The seed and the level of one run of a test, and the simulations that it has created. */
export type Run = ReturnType<typeof runs>[number];

/**
 * Returns the runs of a test. The nightly run has `count` seeds on each of the levels, a commit has
 * a tenth of them, at least one, on the first level.
 */
export function runs(count = 2, levels: readonly SimulationLevel[] = ['message', 'stream']) {
  return (isNightly() ? levels : levels.slice(0, 1)).flatMap((level) =>
    seeds(count).map((seed) => ({
      seed,
      level,
      name: `${level}, seed ${seed}`,
      simulations: [] as Simulation[],
    })),
  );
}

/** Creates the simulation of a run, with links of 1 to 20 ms. */
export function simulationOf(
  { seed, level, simulations }: Run,
  options: Omit<SimulationOptions, 'seed' | 'level'> = {},
): Simulation {
  const simulation = createSimulation({ seed, level, link: { latency: [1, 20] }, ...options });
  simulations.push(simulation);
  return simulation;
}

type EventOf<T extends GossipEvent['type']> = Extract<GossipEvent, { readonly type: T }>;

/** Returns the reasons for which a node dropped messages. */
export const dropsOf = (node: TestNode) => eventsOf(node, 'dropped').map(({ reason }) => reason);

/** Returns the offenses that a node reported. */
export const blameOf = (node: TestNode) => eventsOf(node, 'misbehaved').map(({ what }) => what);

/** Returns a node's events of one type. */
export function eventsOf<T extends GossipEvent['type']>(node: TestNode, type: T): EventOf<T>[] {
  return node.events.filter((event) => event.type === type) as EventOf<T>[];
}

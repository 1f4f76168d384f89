// Whole nodes in simulation, with their codecs and connections: what they send while idle, and for
// each message, over each overlay.

import { createGossip, fullMesh, partialView, type Topic } from '@trunkline/gossip';
import { relay } from '@trunkline/gossip/relay';
import { createPeers } from '@trunkline/peers';
import { createSimulation, type Simulation } from '@trunkline/simulation';
import { type AnyTransport, bytes, defineProtocol } from '@trunkline/transport-core';

/** The ways of spreading messages. */
export type WholeKind = 'mesh' | 'trees' | 'relays';

/** The costs of a network of one size. */
export interface WholeFigures {
  readonly kind: WholeKind;
  readonly nodes: number;
  /** Connections of a node: the mean, and the most. */
  readonly connections: number;
  readonly mostConnections: number;
  /** Bytes that all nodes send in a minute without messages, for each connection. */
  readonly idle: number;
  /** Bytes of one message of each size. */
  readonly small: SpreadFigures;
  readonly large: SpreadFigures;
}

/** The costs of one message, as a mean over several of one publisher. */
export interface SpreadFigures {
  readonly size: number;
  /**
   * Bytes that its publisher sends, that the node sends which sends most, and all for a delivery.
   */
  readonly publisher: number;
  readonly most: number;
  readonly delivery: number;
  /** Milliseconds to the last delivery. */
  readonly last: number;
}

export interface WholeOptions {
  readonly kind: WholeKind;
  readonly nodes: number;
  readonly seed: number;
  /** Small messages that are measured, default 30; of large ones, a tenth. */
  readonly messages?: number | undefined;
}

const silence = defineProtocol({ name: 'silence', version: 1, channel: 0x20, methods: {} });

interface Node {
  readonly transport: AnyTransport;
  readonly topic: Topic<Uint8Array, Uint8Array>;
}

/** Runs a network until it is settled, then for an idle minute, then publishes. */
export async function measureWhole(options: WholeOptions): Promise<WholeFigures> {
  const { kind, nodes: count, seed, messages = 30 } = options;
  const sim = createSimulation({
    seed,
    level: 'stream',
    link: { latency: LATENCY, uplink: UPLINK, fragment: 0 },
  });
  const names = Array.from({ length: count }, (_, i) => `n${i}`);
  const nodes: Node[] = [];
  const arrivals: Arrivals = { begun: [], left: [], last: [] };
  for (const [index, name] of names.entries())
    sim.node(name, async ({ transport: make, clock }) => {
      const transport = make(silence);
      const isMesh = kind !== 'trees';
      const peers = createPeers({
        transport,
        identity: { nodeId: index.toString(16).padStart(64, '0') },
        ...(isMesh
          ? { maxInbound: count, maxOutbound: 0, persistent: names.slice(0, index) }
          : { seeds: index === 0 ? [] : ['n0'], ...(index === 0 ? { maxInbound: count } : {}) }),
      });
      const gossip = createGossip({
        transport,
        peers,
        overlay: isMesh ? fullMesh() : partialView(),
        relay: kind === 'relays' ? relay({ above: 0, fanout: FANOUT }) : undefined,
        wall: () => clock.wall(),
      });
      const topic = gossip.topic('blobs', bytes, { limit: 4 * 1024 * 1024 });
      topic.subscribe((message) => {
        const at = new DataView(message.buffer, message.byteOffset).getUint32(0);
        arrivals.last[at] = clock.now();
        arrivals.left[at]!--;
      });
      await transport.listen();
      await gossip.start();
      await peers.start();
      nodes[index] = { transport, topic };
      return async () => {
        await gossip.close();
        await peers.close();
        await transport.close();
      };
    });
  const links = kind === 'trees' ? Math.min(4, count - 1) : count - 1;
  const isReady = () =>
    nodes.length === count &&
    Array.from(nodes).every((node) => node.topic.neighbors.length >= links);
  await sim.until(isReady, 600_000);
  await sim.run(60_000);
  const network = new Traffic(sim, nodes, arrivals);
  const connections = nodes.map(({ transport }) => transport.snapshot().connections.length);
  const total = sum(connections);
  const idle = await network.idle();
  const small = await network.publish(256, messages, 50, idle);
  const large = await network.publish(1024 * 1024, Math.ceil(messages / 10), 'wait', idle);
  await sim.close();
  return {
    kind,
    nodes: count,
    connections: total / count,
    mostConnections: Math.max(...connections),
    idle: (2 * sum(idle)) / total,
    small,
    large,
  };
}

/** The messages so far, by number. */
interface Arrivals {
  /** When each was published, how many nodes have not got it yet, and when the last one did. */
  readonly begun: number[];
  readonly left: number[];
  readonly last: number[];
}

/** Counts what the nodes of a network send. */
class Traffic {
  readonly #sim: Simulation;
  readonly #nodes: readonly Node[];
  readonly #arrivals: Arrivals;

  constructor(sim: Simulation, nodes: readonly Node[], arrivals: Arrivals) {
    this.#sim = sim;
    this.#nodes = nodes;
    this.#arrivals = arrivals;
  }

  /** Returns the bytes that each node sends in a minute without messages. */
  async idle(): Promise<number[]> {
    const before = this.#sent();
    await this.#sim.run(60_000);
    return this.#sent().map((bytes, i) => bytes - before[i]!);
  }

  /**
   * Publishes messages from one node, after as many that let the trees settle. The next one is sent
   * after `pause` milliseconds, or once the last node has the one before.
   */
  async publish(
    size: number,
    count: number,
    pause: number | 'wait',
    idle: readonly number[],
  ): Promise<SpreadFigures> {
    const at = this.#nodes.length >> 1;
    await this.#batch(at, size, count, pause);
    const before = this.#sent();
    const begin = this.#sim.now;
    const times = await this.#batch(at, size, count, pause);
    const part = (this.#sim.now - begin) / 60_000;
    const sent = this.#sent().map((bytes, i) => (bytes - before[i]! - idle[i]! * part) / count);
    const receivers = this.#nodes.length - 1;
    return {
      size,
      publisher: sent[at]!,
      most: Math.max(...sent),
      delivery: sum(sent) / receivers,
      last: sum(times) / count,
    };
  }

  /** Publishes messages, and returns the milliseconds to the last delivery of each. */
  async #batch(at: number, size: number, count: number, pause: number | 'wait') {
    const { begun, left, last } = this.#arrivals;
    const first = begun.length;
    for (let i = first; i < first + count; i++) {
      const message = new Uint8Array(size).fill(1);
      new DataView(message.buffer).setUint32(0, i);
      begun.push(this.#sim.now);
      left.push(this.#nodes.length - 1);
      void this.#nodes[at]!.topic.publish(message).catch(() => {});
      if (pause === 'wait') await this.#sim.until(() => left[i] === 0, 600_000);
      else await this.#sim.run(pause);
    }
    await this.#sim.until(() => left.every((each) => each === 0), 600_000);
    // Includes receipts and notices that follow the last delivery.
    await this.#sim.run(3_000);
    return begun.slice(first).map((time, i) => last[first + i]! - time);
  }

  #sent(): number[] {
    return this.#nodes.map(({ transport }) => transport.snapshot().bytes.out);
  }
}

const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);

/** Nodes that a relayed message is sent to by each node. */
export const FANOUT = 3;
/** Milliseconds from one node to another. */
export const LATENCY = 10;
/** Bytes a second that each node can send over all its links together: 100 Mbit/s. */
export const UPLINK = 12_500_000;

// A network of whole nodes, including simulated transports and codecs, that records which nodes get
// which messages at which time.

import { type OverlayFactory, partialView, type Topic } from '@trunkline/gossip';
import { createSimulation, type Simulation } from '@trunkline/simulation';
import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import {
  cluster,
  idOf,
  type TestNode,
  words,
} from '../../../../packages/gossip/dist/testing/cluster.js';
import type { Figures } from '../job.ts';

/** The size of a fleet. */
export interface FleetOptions {
  readonly seed: number;
  readonly honest: number;
  /** Number of seeds, which all other nodes know; they are the first nodes. Default 5. */
  readonly seeds?: number | undefined;
  /** Number of places for inbound peers at the seeds; the default is the default of peers. */
  readonly seedInbound?: number | undefined;
}

/** A published message and its deliveries. */
interface Message {
  readonly text: string;
  readonly at: number;
  /** Names of the nodes that were up when it was published, and should get it. */
  readonly to: readonly string[];
  /** Name → milliseconds until delivery. */
  readonly heard: Map<string, number>;
  lastHop: number;
}

/**
 * Honest nodes, which keep partial views with the default options, and the attackers of `invade`.
 * Each link has a different latency, 10 to 100 ms one way.
 */
export class Fleet {
  readonly sim: Simulation;
  readonly random: Random;
  readonly honest: readonly string[];
  /** Nodes that are up. */
  readonly nodes: Map<string, TestNode>;
  readonly topics = new Map<string, Topic<string>>();
  readonly #messages = new Map<string, Message>();
  readonly #honestIds: ReadonlySet<string>;
  readonly #seeds: readonly string[];

  constructor({ seed, honest, seeds = 5, seedInbound }: FleetOptions) {
    this.sim = createSimulation({ seed, link: { latency: [10, 100] } });
    this.random = seededRandom(seed);
    this.honest = honestNames(honest);
    this.#honestIds = new Set(this.honest.map(idOf));
    this.#seeds = this.honest.slice(0, seeds);
    this.nodes = cluster(this.sim, this.honest, {
      gossip: () => ({ overlay: partialView() }),
      peers: (name) => ({
        ...this.#usual(name),
        ...(this.#seeds.includes(name) ? { maxInbound: seedInbound } : {}),
      }),
      setup: (node) => this.#open(node),
    });
    for (const [i, a] of this.honest.entries()) {
      for (const b of this.honest.slice(i + 1))
        this.sim.link(a, b, { latency: 10 + this.random() * 90 });
    }
  }

  /** Adds attackers. They connect to all peers that have places for them. */
  invade(names: readonly string[], overlay: OverlayFactory, target?: string): void {
    cluster(this.sim, names, {
      gossip: () => ({ overlay }),
      peers: (name) => ({
        ...this.#usual(name),
        maxOutbound: 20,
        ...(target === undefined ? {} : { persistent: [target] }),
      }),
      setup: (node) => void node.gossip.topic('news', words).subscribe(() => {}),
    });
  }

  /** Crashes an honest node. Other nodes see a reset. */
  crash(name: string): void {
    this.sim.crash(name);
    this.nodes.delete(name);
  }

  /**
   * Waits until every honest node has at least `neighbors` honest neighbors, or until the time is
   * over. Returns the milliseconds that it took.
   */
  async met(neighbors: number, within: number): Promise<number> {
    const begin = this.sim.now;
    while (
      this.sim.now < begin + within &&
      !this.honest.every((name) => this.honestNeighbors(name) >= neighbors)
    )
      await this.sim.run(100);
    return this.sim.now - begin;
  }

  honestNeighbors(name: string): number {
    if (!this.nodes.has(name)) return 0;
    return this.topics.get(name)!.neighbors.filter((id) => this.#honestIds.has(id)).length;
  }

  /**
   * Returns the share of honest links among the links of the honest nodes, and how many of these
   * nodes have no honest link.
   */
  links(): Figures {
    const counts = this.honest.map((name) => this.honestNeighbors(name));
    const all = this.honest.reduce(
      (sum, name) => sum + (this.nodes.has(name) ? this.topics.get(name)!.neighbors.length : 0),
      0,
    );
    return {
      alone: counts.filter((count) => count === 0).length,
      'honest links': counts.reduce((sum, count) => sum + count, 0) / all,
    };
  }

  /**
   * Returns every honest node's neighbors as text. The text stays equal as long as no link is added
   * or removed.
   */
  overlay(): string {
    return this.honest
      .map((name) => [...(this.topics.get(name)?.neighbors ?? [])].sort().join())
      .join(';');
  }

  publish(name: string): Message {
    const text = `${name} ${this.#messages.size}`;
    const message: Message = {
      text,
      at: this.sim.now,
      to: this.honest.filter((other) => other !== name && this.nodes.has(other)),
      heard: new Map(),
      lastHop: 0,
    };
    this.#messages.set(text, message);
    void this.topics
      .get(name)!
      .publish(text)
      .catch(() => {});
    return message;
  }

  /**
   * Publishes `count` messages of random honest nodes, one every `interval` milliseconds, and then
   * waits 30 s for their delivery. Returns the share of deliveries that happened, the share of the
   * worst message, and percentiles of their times in milliseconds, each named after the moment.
   */
  async traffic(when: string, count: number, interval: number): Promise<Figures> {
    const sent: Message[] = [];
    for (let i = 0; i < count; i++) {
      const there = this.honest.filter((name) => this.nodes.has(name));
      sent.push(this.publish(there[Math.floor(this.random() * there.length)]!));
      await this.sim.run(interval);
    }
    await this.sim.run(30_000);
    return outcome(when, sent);
  }

  /**
   * Returns the number of payloads that arrived at honest nodes for the first time, or the number
   * of those that they already had.
   */
  payloads(which: 'delivered' | 'duplicates'): number {
    const topics = [...this.nodes.values()].flatMap(({ gossip }) => gossip.snapshot().topics);
    return topics.reduce((sum, topic) => sum + topic[which], 0);
  }

  async close(): Promise<void> {
    await this.sim.close();
  }

  #usual(name: string) {
    return { persistent: [], maxOutbound: 10, seeds: this.#seeds.filter((seed) => seed !== name) };
  }

  #open(node: TestNode): void {
    const topic = node.gossip.topic('news', words);
    this.topics.set(node.name, topic);
    topic.subscribe((text, { hops }) => {
      const message = this.#messages.get(text);
      if (message === undefined) return;
      message.heard.set(node.name, this.sim.now - message.at);
      message.lastHop = Math.max(message.lastHop, hops);
    });
  }
}

function outcome(when: string, messages: readonly Message[]): Figures {
  const shares: number[] = [];
  const times: number[] = [];
  for (const { to, heard } of messages) {
    const got = to.filter((name) => heard.has(name)).map((name) => heard.get(name)!);
    shares.push(got.length / to.length);
    times.push(...got);
  }
  times.sort((a, b) => a - b);
  const due = messages.reduce((sum, { to }) => sum + to.length, 0);
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.POSITIVE_INFINITY;
  return {
    [`${when} delivered`]: times.length / due,
    [`${when} least`]: Math.min(1, ...shares),
    [`${when} p50`]: at(0.5),
    [`${when} p99`]: at(0.99),
    [`${when} most`]: at(1),
  };
}

/** Returns addresses of honest nodes, each in its own network. The first of them are the seeds. */
export function honestNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${11 + (i >> 8)}.${i & 255}.1.1`);
}

/** Returns addresses of attackers, which share twenty networks. */
export function attackerNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `190.${i % 20}.${Math.floor(i / 20)}.7`);
}

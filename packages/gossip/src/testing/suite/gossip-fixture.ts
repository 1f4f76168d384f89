// The fixture of a behavior: the nodes of one test on one overlay, and the messages that each node
// receives.

import type { ExecutionContext } from 'ava';
import type { OverlayFactory } from '../../overlay/overlay.ts';
import type { Topic } from '../../topic.ts';
import type { PublishOptions, PublishResult, TopicOptions } from '../../types.ts';
import { areMet, listen, type Subscriber, type TestNode, words } from '../cluster.ts';
import type { Network, NodeOptions } from './network.ts';

/** Declares a behavior that gossip shows on every network, as a test. */
export type DeclareTest = (
  title: string,
  check: (t: ExecutionContext, fixture: GossipFixture) => Promise<void>,
) => void;

export interface GossipFixtureOptions extends Partial<Omit<NodeOptions, 'gossip'>> {
  readonly gossip?: Partial<NodeOptions['gossip']>;
  /**
   * Returns true for nodes that listen to 'news' from the beginning. Default: all nodes, each with
   * a long queue.
   */
  readonly listens?: (name: string) => boolean;
  readonly topic?: TopicOptions<string>;
}

export class GossipFixture {
  readonly network: Network;
  readonly overlay: OverlayFactory;
  /** The listeners on 'news' by node, in the node's current life. */
  readonly subscribers = new Map<string, Subscriber>();

  constructor(network: Network, overlay: OverlayFactory) {
    this.network = network;
    this.overlay = overlay;
  }

  /** True if every node sends to every other node. */
  get isMesh(): boolean {
    return this.overlay.name === 'fullMesh';
  }

  node(name: string): TestNode {
    return this.network.nodes.get(name)!;
  }

  /** Opens a topic of words at a node. */
  topic(name: string, topic = 'news', options?: TopicOptions<string>): Topic<string> {
    return this.node(name).gossip.topic(topic, words, options);
  }

  /** Opens a topic of words at a node, and collects its messages. */
  listen(name: string, topic = 'news', options?: TopicOptions<string>): Subscriber {
    return listen(this.node(name), topic, options);
  }

  idOf(name: string): string {
    return this.node(name).nodeId;
  }

  idsOf(...names: readonly string[]): string[] {
    return names.map((name) => this.idOf(name));
  }

  subscriber(name: string): Subscriber {
    return this.subscribers.get(name)!;
  }

  words(name: string): string[] {
    return this.subscriber(name).words;
  }

  /** Boots nodes. Each is a peer of the nodes before it. */
  async boot(
    names: readonly string[],
    { gossip, listens = () => true, topic, setup, to, peers }: GossipFixtureOptions = {},
  ): Promise<void> {
    await this.network.boot(names, {
      gossip: { overlay: this.overlay, ...gossip },
      peers,
      to: to ?? ((name) => names.filter((other) => other < name)),
      setup: (node) => {
        setup?.(node);
        if (!listens(node.name)) return;
        this.subscribers.set(node.name, listen(node, 'news', { ...LONG_QUEUE, ...topic }));
      },
    });
    await this.until('all nodes are up', () => names.every((name) => this.network.nodes.has(name)));
  }

  /** Boots nodes, and waits until those that listen have met. */
  async meet(names: readonly string[], options?: GossipFixtureOptions): Promise<void> {
    await this.boot(names, options);
    await this.met();
  }

  /**
   * Waits until all listening nodes are up and connected, either each to all others or by links
   * that both ends know.
   */
  met(): Promise<void> {
    const areUp = () => [...this.subscribers.keys()].every((name) => this.network.nodes.has(name));
    return this.until('all nodes know each other on the topic', () => areUp() && this.#areOne());
  }

  /**
   * Waits until a node knows that `others` connected nodes are on the topic, so that it can publish
   * to a list of them without a dial.
   */
  acquainted(name: string, others: number, topic = 'news'): Promise<void> {
    const { gossip } = this.node(name);
    const state = () => gossip.snapshot().topics.find((each) => each.topic === topic);
    const what = `${name} knows ${others} other nodes on ${topic}`;
    return this.until(what, () => state()?.interested === others);
  }

  /** Waits until each of these nodes has that many neighbors. */
  neighbors(names: readonly string[], count: number): Promise<void> {
    const has = (name: string) => this.subscriber(name).topic.neighbors.length === count;
    return this.until(`${names.join(', ')} have ${count} neighbors`, () => names.every(has));
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return this.network.until(what, condition);
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.network.settle(promise);
  }

  publish(name: string, word: string, options?: PublishOptions): Promise<PublishResult> {
    return this.settle(this.subscriber(name).topic.publish(word, options));
  }

  /** Publishes all words at once. */
  publishAll(name: string, said: readonly string[]): Promise<PublishResult[]> {
    const { topic } = this.subscriber(name);
    return this.settle(Promise.all(said.map((word) => topic.publish(word))));
  }

  /** Publishes without waiting for the result. */
  say(name: string, word: string): void {
    void this.subscriber(name).topic.publish(word);
  }

  /** Waits until all of these nodes have received the word. */
  heard(word: string, names: readonly string[]): Promise<void> {
    return this.until(`${names.join(', ')} have read '${word}'`, () =>
      names.every((name) => this.words(name).includes(word)),
    );
  }

  #areOne(): boolean {
    if (this.isMesh) return areMet(this.subscribers.values(), this.subscribers.size - 1);
    const links = new Map(
      [...this.subscribers].map(([name, { topic }]) => [this.idOf(name), new Set(topic.neighbors)]),
    );
    const [first] = links.keys();
    const reached = new Set([first!]);
    for (const node of reached)
      for (const other of links.get(node) ?? [])
        if (links.get(other)?.has(node)) reached.add(other);
    return reached.size === links.size;
  }
}

export const LONG_QUEUE = { queue: { messages: 10_000 } };

/** Returns the words in order if the overlay keeps the order, and sorted otherwise. */
export function inOrder(fixture: GossipFixture, words: readonly string[]): readonly string[] {
  return fixture.isMesh ? words : [...words].sort();
}

export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

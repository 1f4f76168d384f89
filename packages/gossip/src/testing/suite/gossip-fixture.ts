// The fixture of a behavior: the nodes of one test, over TCP with TLS and on one overlay, and the
// messages that each node receives.

import { EventEmitter, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { createPeers } from '@trunkline/peers';
import { createAuthority, createIdentity } from '@trunkline/security';
import { createTransport, systemClock } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { ExecutionContext } from 'ava';
import { createGossip } from '../../gossip.ts';
import type { GossipOptions } from '../../options.ts';
import type { OverlayFactory } from '../../overlay/overlay.ts';
import type { Topic } from '../../topic.ts';
import type { PublishOptions, PublishResult, TopicOptions } from '../../types.ts';
import { areMet, idle, listen, type Subscriber, type TestNode, words } from '../cluster.ts';

/** Declares a behavior that gossip shows on every overlay, as a test. */
export type DeclareTest = (
  title: string,
  check: (t: ExecutionContext, fixture: GossipFixture) => Promise<void>,
) => void;

export interface BootOptions {
  readonly gossip?: Partial<GossipOptions>;
  /** Returns the nodes that a node dials and stays connected to. Default: those before it. */
  readonly to?: (name: string) => readonly string[];
  /** Called before gossip starts. */
  readonly setup?: (node: TestNode) => void;
  /**
   * Returns true for nodes that listen to 'news' from the beginning. Default: all nodes, each with
   * a long queue.
   */
  readonly listens?: (name: string) => boolean;
  readonly topic?: TopicOptions<string>;
}

export class GossipFixture {
  readonly overlay: OverlayFactory;
  /** The nodes that are up. */
  readonly nodes = new Map<string, TestNode>();
  /** The listeners on 'news' by node. */
  readonly subscribers = new Map<string, Subscriber>();
  readonly #changes = new EventEmitter();

  constructor(overlay: OverlayFactory) {
    this.overlay = overlay;
  }

  /** True if every node sends to every other node. */
  get isMesh(): boolean {
    return this.overlay.name === 'fullMesh';
  }

  node(name: string): TestNode {
    return this.nodes.get(name)!;
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

  /** Starts nodes, one after the other. They dial only nodes that the test names. */
  async boot(
    names: readonly string[],
    {
      gossip: given,
      to = (name) => names.filter((other) => other < name),
      setup,
      listens = () => true,
      topic,
    }: BootOptions = {},
  ): Promise<void> {
    for (const name of names) {
      const identity = createIdentity();
      const tls = { key: identity.key, cert: await issue(identity), ca };
      const backends = [tcp({ tls })];
      const transport = createTransport('tcp://127.0.0.1:0', { protocol: idle, backends });
      await transport.listen();
      const persistent = to(name).map((other) => this.node(other).transport.localAddr());
      const peers = createPeers<any>({ transport, maxOutbound: 0, persistent });
      const gossip = createGossip({ transport, peers, overlay: this.overlay, ...given });
      const node: TestNode = { name, nodeId: peers.nodeId, transport, peers, gossip, events: [] };
      void this.#follow(gossip.events(), (event) => node.events.push(event));
      void this.#follow(peers.events(), () => {});
      setup?.(node);
      if (listens(name))
        this.subscribers.set(name, listen(node, 'news', { ...LONG_QUEUE, ...topic }));
      this.nodes.set(name, node);
      await gossip.start();
      await peers.start();
    }
  }

  /** Crashes a node: its gossip and its peers send no farewell. */
  async crash(name: string): Promise<void> {
    const { transport, peers, gossip } = this.node(name);
    this.nodes.delete(name);
    await transport.close();
    await gossip.close();
    await peers.close();
  }

  /** Starts nodes, and waits until those that listen have met. */
  async meet(names: readonly string[], options?: BootOptions): Promise<void> {
    await this.boot(names, options);
    await this.met();
  }

  /**
   * Waits until all listening nodes are connected, either each to all others or by links that both
   * ends know.
   */
  met(): Promise<void> {
    return this.until('all nodes know each other on the topic', () => this.#areOne());
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

  /** Waits for a condition, and checks it whenever something has happened at a node. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const over = new AbortController();
    const watchdog = systemClock.sleep(WATCHDOG, over.signal).then(() => {
      throw new Error(`timed out after ${WATCHDOG} ms waiting for: ${what}\n${this}`);
    });
    watchdog.catch(() => {});
    try {
      // Readers get a message one turn after its event.
      for (await turn(); !condition(); await turn())
        await Promise.race([once(this.#changes, 'change'), watchdog]);
    } finally {
      over.abort();
    }
  }

  publish(name: string, word: string, options?: PublishOptions): Promise<PublishResult> {
    return this.subscriber(name).topic.publish(word, options);
  }

  /** Publishes all words at once. */
  publishAll(name: string, said: readonly string[]): Promise<PublishResult[]> {
    return Promise.all(said.map((word) => this.publish(name, word)));
  }

  /** Waits until all of these nodes have received the word. */
  heard(word: string, names: readonly string[]): Promise<void> {
    return this.until(`${names.join(', ')} have read '${word}'`, () =>
      names.every((name) => this.words(name).includes(word)),
    );
  }

  /** Closes all nodes. Returns the connections that are left; the list should be empty. */
  async close(): Promise<readonly string[]> {
    const nodes = [...this.nodes.values()];
    for (const { transport, peers, gossip } of nodes) {
      await gossip.close();
      await peers.close();
      await transport.close();
    }
    return nodes.flatMap(({ name, transport }) =>
      transport.remotes().map(({ id }) => `${name}: connection ${id}`),
    );
  }

  toString(): string {
    return [...this.nodes.values()]
      .map(({ name, peers, gossip, events }) =>
        [name, peers, gossip, JSON.stringify(events.slice(-8))].join('\n'),
      )
      .join('\n\n');
  }

  async #follow<T>(events: AsyncIterable<T>, tell: (event: T) => void): Promise<void> {
    for await (const event of events) {
      tell(event);
      this.#changes.emit('change');
    }
    this.#changes.emit('change');
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

/** The authority that certifies the keys of all nodes. */
const { cert: ca, issue } = await createAuthority();
/** Milliseconds until a wait fails; no wait of the suite needs a tenth of it. */
const WATCHDOG = 30_000;

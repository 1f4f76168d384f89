// One behaviour at work: nodes of one network on one overlay, and what each hears.

import type { ExecutionContext } from 'ava';
import type { OverlayFactory } from '../../overlay/overlay.ts';
import type { PublishOptions, PublishResult, TopicOptions } from '../../types.ts';
import { areMet, type Ear, listen, type TestNode } from '../cluster.ts';
import type { Network, NodeOptions } from './network.ts';

/** What gossip does, whatever carries it. */
export interface Behaviour {
  readonly title: string;
  /** The only overlay that promises it. */
  readonly overlay?: 'fullMesh';
  check(t: ExecutionContext, scene: Scene): Promise<void>;
}

export interface SceneOptions extends Partial<Omit<NodeOptions, 'gossip'>> {
  readonly outbound?: NodeOptions['gossip']['outbound'];
  readonly relay?: NodeOptions['gossip']['relay'];
  /** What else gossip is given, in place of the scene's. */
  readonly gossip?: Partial<NodeOptions['gossip']>;
  /** Who listens to 'news' from the beginning, and how. Default: everybody, with a long queue. */
  readonly listens?: (name: string) => boolean;
  readonly topic?: TopicOptions<string>;
}

export class Scene {
  readonly network: Network;
  readonly overlay: OverlayFactory;
  /** What the nodes hear of 'news', in this life of theirs. */
  readonly ears = new Map<string, Ear>();

  constructor(network: Network, overlay: OverlayFactory) {
    this.network = network;
    this.overlay = overlay;
  }

  /** Does everybody send to everybody? */
  get isMesh(): boolean {
    return this.overlay.name === 'fullMesh';
  }

  node(name: string): TestNode {
    return this.network.nodes.get(name)!;
  }

  idOf(name: string): string {
    return this.node(name).nodeId;
  }

  ear(name: string): Ear {
    return this.ears.get(name)!;
  }

  words(name: string): string[] {
    return this.ear(name).words;
  }

  /** Boots nodes, each a peer of those before it. */
  async boot(names: readonly string[], { outbound, relay, gossip = {}, listens = () => true, topic, setup, to, peers }: SceneOptions = {}): Promise<void> {
    await this.network.boot(names, {
      gossip: { overlay: this.overlay, outbound, relay, ...gossip },
      peers,
      to: to ?? ((name) => names.filter((other) => other < name)),
      setup: (node) => {
        setup?.(node);
        if (listens(node.name)) this.ears.set(node.name, listen(node, 'news', { queue: { size: 10_000 }, ...topic }));
      },
    });
    await this.until('all are up', () => names.every((name) => this.network.nodes.has(name)));
  }

  /** The same, and waits until those that listen are one. */
  async meet(names: readonly string[], options?: SceneOptions): Promise<void> {
    await this.boot(names, options);
    await this.met();
  }

  /** All that listen are up and one: connected in full, or joined by links that both ends know. */
  met(): Promise<void> {
    return this.until('all have met', () => [...this.ears.keys()].every((name) => this.network.nodes.has(name)) && this.#areOne());
  }

  /** It knows of so many connected nodes that they are on the topic: a list of recipients can be sent to without a dial. */
  acquainted(name: string, others: number): Promise<void> {
    const key = this.ear(name).topic.name;
    const isOn = () =>
      this.node(name)
        .gossip.snapshot()
        .topics.find(({ topic }) => topic === key)?.interested === others;
    return this.until(`${name} knows of ${others} on the topic`, isOn);
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return this.network.until(what, condition);
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.network.settle(promise);
  }

  publish(name: string, word: string, options?: PublishOptions): Promise<PublishResult> {
    return this.settle(this.ear(name).topic.publish(word, options));
  }

  /** Publishes and goes on. */
  say(name: string, word: string): void {
    void this.ear(name).topic.publish(word);
  }

  /** Waits until all of them have heard it. */
  heard(word: string, names: readonly string[]): Promise<void> {
    return this.until(`${names.join(', ')} have heard '${word}'`, () => names.every((name) => this.words(name).includes(word)));
  }

  #areOne(): boolean {
    if (this.isMesh) return areMet(this.ears.values(), this.ears.size - 1);
    const links = new Map([...this.ears].map(([name, { topic }]) => [this.idOf(name), new Set(topic.neighbors)]));
    const [first] = links.keys();
    const reached = new Set([first!]);
    for (const node of reached) for (const other of links.get(node) ?? []) if (links.get(other)?.has(node)) reached.add(other);
    return reached.size === links.size;
  }
}

/** In order where the overlay keeps it, else sorted. */
export function inOrder(scene: Scene, words: readonly string[]): readonly string[] {
  return scene.isMesh ? words : [...words].sort();
}

export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

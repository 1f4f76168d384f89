// Follows the states of many nodes, and connects again to nodes that are lost.

import type { Client, Clock } from '@trunkline/transport-core';
import { cleanText } from '@trunkline/transport-core/backend';
import { followNode } from '../follow-node.ts';
import type { adminProtocol } from '../protocol.ts';
import type { NetworkState, WatchedNode } from './network-state.ts';

/** Maximum number of nodes that a dashboard shows. */
export const MOST_NODES = 2_000;

/** Options of a NetworkFollower. */
export interface FollowerOptions {
  readonly clock: Clock;
  readonly readonly: boolean;
  /** Milliseconds between two states of a node. */
  readonly interval: number;
  /** The metadata that is sent with each call. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

interface Followed {
  readonly client: Client<typeof adminProtocol>;
  readonly end: AbortController;
  watched: WatchedNode;
  done: Promise<void>;
}

/** The nodes that a dashboard watches. It has at most MOST_NODES. */
export class NetworkFollower {
  readonly #options: FollowerOptions;
  readonly #nodes = new Map<string, Followed>();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /**
   * Begins to follow a node. If a node with this name is already followed, it keeps its client.
   * Throws a RangeError if MOST_NODES are followed.
   */
  add(name: string, client: Client<typeof adminProtocol>): void {
    if (this.#nodes.has(name)) return;
    if (this.#nodes.size >= MOST_NODES)
      throw new RangeError(`dashboard: at most ${MOST_NODES} nodes, and '${name}' is one more`);
    const node: Followed = {
      client,
      end: new AbortController(),
      watched: { status: 'connecting' },
      done: Promise.resolve(),
    };
    this.#nodes.set(name, node);
    node.done = this.#follow(node);
  }

  /** Stops following a node, and removes it from the state. */
  remove(name: string): void {
    this.#nodes.get(name)?.end.abort();
    this.#nodes.delete(name);
  }

  get names(): string[] {
    return [...this.#nodes.keys()];
  }

  clientOf(name: string): Client<typeof adminProtocol> | undefined {
    return this.#nodes.get(name)?.client;
  }

  /** Returns the present state. The parts that have not changed are the same objects as before. */
  state(): NetworkState {
    const { clock, readonly } = this.#options;
    const nodes = [...this.#nodes].map(([name, { watched }]) => [name, watched] as const);
    return { at: Math.round(clock.now()), readonly, nodes: Object.fromEntries(nodes) };
  }

  /** Ends all calls. */
  async close(): Promise<void> {
    const all = [...this.#nodes.values()];
    this.#nodes.clear();
    for (const { end } of all) end.abort();
    await Promise.all(all.map(({ done }) => done));
  }

  /** Follows a node until it is removed. Never rejects. */
  async #follow(node: Followed): Promise<void> {
    const { clock, interval, metadata } = this.#options;
    const { signal } = node.end;
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      let error = 'the node has ended the stream of its states';
      try {
        for await (const state of followNode(node.client, { interval, metadata, signal })) {
          if (signal.aborted) return;
          node.watched = { status: 'up', state };
          pause = FIRST_PAUSE;
        }
      } catch (thrown) {
        error = thrown instanceof Error ? thrown.message : String(thrown);
      }
      if (signal.aborted) return;
      const { state } = node.watched;
      node.watched = { status: 'lost', error: cleanText(error), ...(state && { state }) };
      await clock.sleep(pause, signal).catch(() => {});
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }
  }
}

/** Milliseconds until a lost node is asked again: first, and at most; they double in between. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

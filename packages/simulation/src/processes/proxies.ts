// The addresses of the nodes, and the proxies through which they reach each other.

import { systemClock } from '@trunkline/transport-core';
import { LinkProxy } from './link-proxy.ts';

/** Called with each new proxy before anything passes through it. */
export type ProxyAdded = (from: string, to: string, proxy: LinkProxy) => void;

/** All addresses and proxies of a run. */
export class Proxies {
  readonly #seed: number;
  readonly #added: ProxyAdded;
  /** Real addresses of the transports that listen, by their names. */
  readonly #addresses = new Map<string, string>();
  /** The names of all transports that have ever listened. */
  readonly #known = new Set<string>();
  /** Proxies by 'from target', where a target is a node, or a node and a further transport. */
  readonly #proxies = new Map<string, Promise<LinkProxy>>();

  constructor(seed: number, added: ProxyAdded) {
    this.#seed = seed;
    this.#added = added;
  }

  /** Records that a transport listens. */
  announce(target: string, address: string): void {
    this.#known.add(target);
    this.#addresses.set(target, address);
  }

  /** Removes the addresses of a node whose process has ended, or is about to be killed. */
  forget(node: string): void {
    for (const target of this.#addresses.keys())
      if (nodeOf(target) === node) this.#addresses.delete(target);
  }

  /** Returns the real address of a transport, which clients dial. */
  addressOf(target: string): string | undefined {
    return this.#addresses.get(target);
  }

  /**
   * Returns the address at which a node dials a target, which is the address of the proxy between
   * them. Returns undefined if the target has never listened.
   */
  async resolve(from: string, target: string): Promise<string | undefined> {
    if (!this.#known.has(target)) return undefined;
    const way = `${from} ${target}`;
    let proxy = this.#proxies.get(way);
    if (proxy === undefined) this.#proxies.set(way, (proxy = this.#start(from, target)));
    return (await proxy).address;
  }

  async close(): Promise<void> {
    for (const proxy of this.#proxies.values()) await (await proxy).close();
  }

  async #start(from: string, target: string): Promise<LinkProxy> {
    const seed = this.#seed + this.#proxies.size;
    const proxy = await LinkProxy.start(() => this.#addresses.get(target), seed, systemClock);
    this.#added(from, nodeOf(target), proxy);
    return proxy;
  }
}

/** Returns the node of a target: 'n1' for 'n1/further'. */
function nodeOf(target: string): string {
  return target.split('/')[0]!;
}

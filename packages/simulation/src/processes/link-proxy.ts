// A TCP proxy on the way from one node to another. It owns the faults of the connections that the
// first node dials; their bytes pass through `faulty()`.

import type { Clock } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { type FaultyStreamLayer, faulty, type NetworkFaults } from '@trunkline/transport-testkit';
import { JoinedConnections } from './joined.ts';
import { ANYWHERE } from './process-network.ts';

/** The faults of a link, from the view of the node that dials. */
export interface LinkFaults {
  /** The faults of the bytes that the dialing node sends. */
  readonly onward: NetworkFaults;
  /** The faults of the bytes that the dialing node receives. */
  readonly back: NetworkFaults;
  /** True if new connections are refused. */
  readonly isRefused: boolean;
}

/** The route from a node to a target. */
export class LinkProxy {
  readonly #near: StreamLayer = createTcpStreamLayer({ bindAddr: ANYWHERE });
  readonly #far: FaultyStreamLayer;
  /** Returns the current address of the target; undefined while it is down. */
  readonly #address: () => string | undefined;
  readonly #open = new Set<JoinedConnections>();
  /** Connections that nothing answers, because the target has lost its power. */
  readonly #unanswered = new Set<JoinedConnections>();
  #isRefused = false;
  #isSilent = false;

  private constructor(address: () => string | undefined, seed: number, clock: Clock) {
    this.#address = address;
    this.#far = faulty(createTcpStreamLayer(), { seed, clock });
  }

  /** Starts a proxy. At each dial, `address` returns the address of its target. */
  static async start(
    address: () => string | undefined,
    seed: number,
    clock: Clock,
  ): Promise<LinkProxy> {
    const proxy = new LinkProxy(address, seed, clock);
    await proxy.#near.listen((connection) => void proxy.#accept(connection));
    return proxy;
  }

  /** The address that the node dials. */
  get address(): string {
    return this.#near.localAddr();
  }

  /** Replaces all faults; unanswered connections are destroyed unless `onward` is half-open. */
  set({ onward, back, isRefused }: LinkFaults): void {
    this.#isRefused = isRefused;
    this.#isSilent = onward.halfOpen === true;
    if (!this.#isSilent) for (const joined of [...this.#unanswered]) joined.destroy();
    this.#far.set({ ...CLEAR, ...onward }, 'out');
    this.#far.set({ ...CLEAR, ...back }, 'in');
  }

  /** Resets every connection. */
  reset(): void {
    this.#far.cut();
  }

  async close(): Promise<void> {
    for (const joined of [...this.#open]) joined.destroy();
    await Promise.all([this.#near.close(), this.#far.close()]);
  }

  async #accept(near: StreamConnection): Promise<void> {
    const joined = new JoinedConnections(near, () => {
      this.#open.delete(joined);
      this.#unanswered.delete(joined);
    });
    this.#open.add(joined);
    const address = this.#address();
    if (this.#isSilent) return void this.#unanswered.add(joined);
    if (this.#isRefused || address === undefined) return joined.destroy();
    try {
      joined.join(await this.#far.dial(address, { timeout: DIAL }));
    } catch {
      joined.destroy();
    }
  }
}

/**
 * The settings without faults. They are complete, because settings that are left out of `set` stay
 * unchanged.
 */
const CLEAR: NetworkFaults = {
  delay: 0,
  jitter: 0,
  bandwidth: Number.POSITIVE_INFINITY,
  stalled: false,
  halfOpen: false,
};
/**
 * Time limit, in milliseconds, for the second half of a dial, which may have to wait for the end of
 * a cut.
 */
const DIAL = 15_000;

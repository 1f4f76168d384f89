// Dialling at work: what the planner orders, and what somebody waits for by a node's id.

import { type AnyTransport, formatHostPort, type Remote, reasonError, splitScheme, TransportError, withDetails } from '@trunkline/transport-core';
import { isDialable, placeOf } from '../address/place.ts';
import type { DialKind } from '../dialling/dial-order.ts';
import type { PeersConfig } from '../options.ts';

/** A dial that the planner wants, somebody who waits for a node (`asked`), or a seed that crawls. */
export interface Order {
  readonly address: string;
  readonly nodeId: string | undefined;
  readonly kind: DialKind | 'asked' | 'crawl';
  /** Did others tell the address? Default: unless it is a persistent peer's or a seed's, which the operator named. */
  readonly hearsay?: boolean;
}

interface UnderWay {
  /** What the transport was given. */
  target: string;
  /** When it has taken too long. */
  readonly due: number;
  readonly cancel: AbortController;
}

/** What came of an order. */
export interface DiallerHost {
  readonly proves: boolean;
  dialled(order: Order, remote: Remote): void;
  failed(order: Order, error: TransportError): void;
}

export class Dialler {
  /** Orders under way. */
  readonly #under = new Map<Order, UnderWay>();
  readonly #transport: AnyTransport;
  readonly #config: PeersConfig;
  readonly #host: DiallerHost;

  constructor(transport: AnyTransport, config: PeersConfig, host: DiallerHost) {
    this.#transport = transport;
    this.#config = config;
    this.#host = host;
  }

  /** The orders that a dial of the transport is for. */
  ordersOf(target: string | undefined): Order[] {
    return [...this.#under].filter(([, under]) => under.target === target).map(([order]) => order);
  }

  /** Is this node being dialled? */
  isReaching(nodeId: string): boolean {
    for (const order of this.#under.keys()) if (order.nodeId === nodeId) return true;
    return false;
  }

  /** Its link is up, or nothing will come of it. False: that was so already. */
  settle(order: Order): boolean {
    return this.#under.delete(order);
  }

  /** Nobody waits any more for what was only asked for. */
  cancel(nodeId: string): void {
    for (const [order, { cancel }] of this.#under) if (order.kind === 'asked' && order.nodeId === nodeId) cancel.abort();
  }

  /** When the first of them has taken too long. */
  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const under of this.#under.values()) due = Math.min(due, under.due);
    return due;
  }

  /** Gives up those that have taken too long: somebody's `resolve` or `lookup` does not answer. */
  expire(now: number): void {
    for (const [order, { due, target, cancel }] of [...this.#under]) {
      if (now < due || !this.settle(order)) continue;
      cancel.abort();
      this.#host.failed(
        order,
        reasonError('dial_timeout', `Cannot connect to ${target}: the dial was not over after ${LONGEST_DIAL} ms`, { target, sent: false }),
      );
    }
  }

  /** Gives up all of them, and tells nobody. */
  close(): void {
    const under = [...this.#under.values()];
    this.#under.clear();
    for (const { cancel } of under) cancel.abort();
  }

  /** Dials; one of the host's answers follows, exactly once, unless it is closed. */
  async run(order: Order): Promise<void> {
    const under: UnderWay = { target: order.address, due: this.#transport.clock.now() + LONGEST_DIAL, cancel: new AbortController() };
    this.#under.set(order, under);
    try {
      under.target = this.#named(order, await this.#resolve(order));
      const remote = await this.#transport.dial(under.target, { signal: under.cancel.signal });
      if (this.settle(order)) this.#host.dialled(order, remote);
    } catch (error) {
      if (!this.settle(order)) return;
      this.#host.failed(order, error instanceof TransportError ? error : new TransportError('internal', String(error), { target: under.target, cause: error }));
    }
  }

  /** Who is dialled proves to be the one that is meant, where the transport has proofs. */
  #named({ nodeId }: Order, address: string): string {
    return nodeId !== undefined && this.#host.proves ? `${nodeId}@${address}` : address;
  }

  /** In public mode a name that others told is looked up here, and one of its public addresses is dialled: none of a machine's own network. */
  async #resolve({ address, kind, hearsay = kind !== 'persistent' && kind !== 'seed' }: Order): Promise<string> {
    if (this.#config.addresses === 'any' || !hearsay) return address;
    const place = placeOf(address);
    if (place === undefined || !isDialable(place, 'public')) throw notPublic(address, 'is none');
    if (place.kind !== 'name') return address;
    const { lookup } = this.#config;
    if (lookup === undefined) throw notPublic(address, "is a name, and there is no 'lookup' to tell its addresses; '@trunkline/peers/node' has systemLookup");
    let found: readonly string[];
    try {
      found = await lookup(place.host);
    } catch (error) {
      throw error instanceof TransportError
        ? withDetails(error, { target: address })
        : reasonError('host_not_found', `Cannot look up ${place.host}: ${String(error)}`, { target: address, cause: error });
    }
    const { scheme, rest } = splitScheme(address);
    const path = /[/?#].*$/u.exec(rest)?.[0] ?? '';
    for (const ip of found.slice(0, FOUND)) {
      const there = `${scheme === undefined ? '' : `${scheme}://`}${formatHostPort(ip, place.port ?? 0)}${path}`;
      const concrete = placeOf(there);
      if (concrete?.ip !== undefined && isDialable(concrete, 'public')) return there;
    }
    throw notPublic(address, `leads to ${found.slice(0, FOUND).join(', ') || 'nothing'}`);
  }
}

function notPublic(address: string, why: string): TransportError {
  return new TransportError('invalid_argument', `Cannot dial ${address}, which a peer told: only public addresses are dialled, and it ${why}`, {
    target: address,
    sent: false,
  });
}

/** Milliseconds of a dial, its name's resolution included; the transport's own bounds (`dialTimeout`, `handshakeTimeout`) are shorter. */
const LONGEST_DIAL = 60_000;
/** Addresses of one name that are looked at. */
const FOUND = 16;

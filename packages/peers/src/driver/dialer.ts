// Runs dials: those that the planner orders, and those for a caller that waits for a node id.

import { type AnyTransport, type Remote, TransportError } from '@trunkline/transport-core';
import { formatHostPort, reasonError } from '@trunkline/transport-core/backend';
import { splitScheme, withDetails } from '@trunkline/transport-core/internal';
import { isDialable, placeOf } from '../address/place.ts';
import type { DialKind } from '../dialing/dial-order.ts';
import type { PeersConfig } from '../options.ts';

/**
 * A dial that the planner ordered, that a caller waits for (`asked`), or that a crawling seed wants
 * (`crawl`).
 */
export interface Order {
  readonly address: string;
  readonly nodeId: string | undefined;
  readonly kind: DialKind | 'asked' | 'crawl';
  /**
   * Whether other nodes reported the address. Default true, except for persistent peers and seeds,
   * whose addresses come from the operator.
   */
  readonly reported?: boolean;
}

interface UnderWay {
  /** The target that the transport was given. */
  target: string;
  /** The time at which the dial is given up. */
  readonly due: number;
  readonly cancel: AbortController;
}

/** Receives the outcome of orders. */
export interface DialerHost {
  readonly proves: boolean;
  dialed(order: Order, remote: Remote): void;
  failed(order: Order, error: TransportError): void;
}

export class Dialer {
  /** Orders under way. */
  readonly #under = new Map<Order, UnderWay>();
  readonly #transport: AnyTransport;
  readonly #config: PeersConfig;
  readonly #host: DialerHost;

  constructor(transport: AnyTransport, config: PeersConfig, host: DialerHost) {
    this.#transport = transport;
    this.#config = config;
    this.#host = host;
  }

  /** Returns the orders that a dial of the transport serves. */
  ordersOf(target: string | undefined): Order[] {
    return [...this.#under].filter(([, under]) => under.target === target).map(([order]) => order);
  }

  /** Returns whether this node is being dialed. */
  isReaching(nodeId: string): boolean {
    for (const order of this.#under.keys()) if (order.nodeId === nodeId) return true;
    return false;
  }

  /**
   * Ends an order, because its connection is up or the dial failed. Returns false if it has ended
   * already.
   */
  settle(order: Order): boolean {
    return this.#under.delete(order);
  }

  /** Cancels the dials of a node that no caller waits for any more. */
  cancel(nodeId: string): void {
    for (const [order, { cancel }] of this.#under)
      if (order.kind === 'asked' && order.nodeId === nodeId) cancel.abort();
  }

  /** When the first of the dials times out. */
  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const under of this.#under.values()) due = Math.min(due, under.due);
    return due;
  }

  /**
   * Fails dials that have taken too long, because the user's `resolve` or `lookup` does not answer.
   */
  expire(now: number): void {
    for (const [order, { due, target, cancel }] of [...this.#under]) {
      if (now < due || !this.settle(order)) continue;
      cancel.abort();
      this.#host.failed(
        order,
        reasonError(
          'dial_timeout',
          `Cannot connect to ${target}: the dial was not complete after ${LONGEST_DIAL} ms`,
          { target, sent: false },
        ),
      );
    }
  }

  /** Cancels all dials without telling the host. */
  close(): void {
    const under = [...this.#under.values()];
    this.#under.clear();
    for (const { cancel } of under) cancel.abort();
  }

  /** Dials. Unless the dialer is closed, exactly one method of the host is called afterwards. */
  async run(order: Order): Promise<void> {
    const under: UnderWay = {
      target: order.address,
      due: this.#transport.clock.now() + LONGEST_DIAL,
      cancel: new AbortController(),
    };
    this.#under.set(order, under);
    try {
      under.target = this.#named(order, await this.#resolve(order));
      const remote = await this.#transport.dial(under.target, { signal: under.cancel.signal });
      if (this.settle(order)) this.#host.dialed(order, remote);
    } catch (error) {
      if (!this.settle(order)) return;
      this.#host.failed(
        order,
        error instanceof TransportError
          ? error
          : new TransportError('internal', String(error), { target: under.target, cause: error }),
      );
    }
  }

  /**
   * Adds the node id to the target if this transport proves ids, so that the other end must prove
   * it.
   */
  #named({ nodeId }: Order, address: string): string {
    return nodeId !== undefined && this.#host.proves ? `${nodeId}@${address}` : address;
  }

  /**
   * In public mode, looks up a host name that other nodes reported, and returns one of its public
   * addresses, so that no address of a private network is dialed.
   */
  async #resolve({
    address,
    kind,
    reported = kind !== 'persistent' && kind !== 'seed',
  }: Order): Promise<string> {
    if (this.#config.addresses === 'any' || !reported) return address;
    const place = placeOf(address);
    if (place === undefined || !isDialable(place, 'public')) throw notPublic(address, 'is none');
    if (place.kind !== 'name') return address;
    const { lookup } = this.#config;
    if (lookup === undefined)
      throw notPublic(
        address,
        "is a host name, and there is no 'lookup' to resolve it; '@trunkline/peers/node' exports systemLookup",
      );
    let found: readonly string[];
    try {
      found = await lookup(place.host);
    } catch (error) {
      throw error instanceof TransportError
        ? withDetails(error, { target: address })
        : reasonError('host_not_found', `Cannot look up ${place.host}: ${String(error)}`, {
            target: address,
            cause: error,
          });
    }
    const { scheme, rest } = splitScheme(address);
    const path = /[/?#].*$/u.exec(rest)?.[0] ?? '';
    for (const ip of found.slice(0, FOUND)) {
      const there = `${scheme === undefined ? '' : `${scheme}://`}${formatHostPort(ip, place.port ?? 0)}${path}`;
      const concrete = placeOf(there);
      if (concrete?.ip !== undefined && isDialable(concrete, 'public')) return there;
    }
    throw notPublic(address, `resolves to ${found.slice(0, FOUND).join(', ') || 'nothing'}`);
  }
}

function notPublic(address: string, why: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot dial ${address}, which a peer reported: only public addresses are dialed, and it ${why}`,
    {
      target: address,
      sent: false,
    },
  );
}

/**
 * Milliseconds of a dial, name resolution included. The transport's own limits (`dialTimeout`,
 * `handshakeTimeout`) are shorter.
 */
const LONGEST_DIAL = 60_000;
/** Maximum addresses of one name that are checked. */
const FOUND = 16;

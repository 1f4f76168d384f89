// Dials that were ordered, by the planner or by who waits for a node, and what became of them.

import { parseTarget, type Remote, reasonError, spelled, TransportError } from '@trunkline/transport-core';
import { placeOf } from '../address/place.ts';
import { Dialler, type DiallerHost, type Order } from './dialler.ts';
import type { Node } from './node.ts';
import { rejectionOf } from './rejection.ts';
import type { Visits } from './visits.ts';

export class Orders implements DiallerHost {
  readonly #node: Node;
  readonly #visits: Visits;
  readonly #dialler: Dialler;
  /** Nodes whose address is asked of the user. */
  readonly #locating = new Set<string>();
  /** Who waits for a node. */
  readonly #waiting = new Map<string, Set<(outcome: Remote | TransportError) => void>>();

  constructor(node: Node, visits: Visits) {
    this.#node = node;
    this.#visits = visits;
    this.#dialler = new Dialler(node.config.transport, node.config, this);
  }

  get proves(): boolean {
    return this.#node.proves;
  }

  /** What a dial of the transport is for. */
  of(target: string | undefined): Order[] {
    return this.#dialler.ordersOf(target);
  }

  start(order: Order): void {
    if (order.nodeId !== undefined) this.#node.keeper.book.attempted(order.nodeId, this.#node.now(), order.address);
    void this.#dialler.run(order);
  }

  /** A link is up that these were for. */
  fulfil(orders: readonly Order[], nodeId: string): void {
    for (const order of orders) {
      if (!this.#dialler.settle(order)) continue;
      if (order.kind !== 'asked' && order.kind !== 'crawl') this.#node.planner.opened({ ...order, kind: order.kind }, nodeId, this.#node.now());
    }
  }

  /** A link is up, and the other end has no room for more. */
  refuse(orders: readonly Order[], error: TransportError): void {
    for (const order of orders) if (this.#dialler.settle(order)) this.failed(order, toTarget(error, order.address));
  }

  dialled(order: Order, remote: Remote): void {
    const peer = this.#node.roster.of(remote);
    const { address } = order;
    if (peer === undefined) {
      if (this.#visits.has(remote)) return this.failed(order, toTarget(reasonError('full', 'it has no room for another peer', { origin: 'remote' }), address));
      const message = `Cannot make a peer of ${address}: the other end runs no peers`;
      return this.failed(order, new TransportError('failed_precondition', message, { target: address }));
    }
    // It was up before it was ordered.
    const { planner } = this.#node;
    if (order.kind !== 'asked' && order.kind !== 'crawl') planner.opened({ ...order, kind: order.kind }, peer.nodeId, this.#node.now());
    this.arrived(peer.nodeId, peer.main.remote);
    this.#node.soon();
  }

  failed(order: Order, error: TransportError): void {
    const { keeper, planner, twins, closed, events } = this.#node;
    if (closed) return;
    const { book } = keeper;
    const { nodeId, address, kind } = order;
    const now = this.#node.now();
    if (error.reason === 'self') book.addOwn(address);
    if (error.reason === 'identity_mismatch' && this.#isBooked(order)) book.mismatched(nodeId!);
    else if (nodeId !== undefined) book.failed(nodeId, address);
    const isHopeless = kind === 'crawl' ? crawledInVain(book.get(nodeId!)) : kind !== 'asked' && planner.failed({ ...order, kind }, now, error).giveUp;
    if (isHopeless && nodeId !== undefined && (kind === 'crawl' || book.get(nodeId)?.lastSuccess === undefined)) {
      // Nobody was ever seen there, whoever told of it: the id is not to blame.
      book.remove(nodeId);
      planner.rest(address, now + DAY);
    }
    if (nodeId !== undefined && !this.#dialler.isReaching(nodeId) && !this.#seekElsewhere(order)) this.#answer(nodeId, this.#live(nodeId) ?? error);
    if (twins.isNews(error)) events.tell({ type: 'rejected', reason: rejectionOf(error, 'out'), direction: 'out', error, nodeId, addr: spelled(address) });
    this.#node.soon();
  }

  /** A connection to a node: the live one, or one that is dialled now. */
  reach(nodeId: string, signal: AbortSignal): Promise<Remote> {
    const { closed, keeper } = this.#node;
    const live = this.#live(nodeId);
    if (live !== undefined) return Promise.resolve(live);
    if (closed) return Promise.reject(CLOSED);
    if (nodeId === this.#node.nodeId) return this.#reachSelf(signal);
    if (keeper.book.isBanned(nodeId, this.#node.now())) return Promise.reject(reasonError('denied', `node ${nodeId} is banned here`, { sent: false }));
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(nodeId) ?? new Set();
      this.#waiting.set(nodeId, waiting);
      const settle = (outcome: Remote | TransportError) => {
        signal.removeEventListener('abort', onAbort);
        if (outcome instanceof TransportError) reject(outcome);
        else resolve(outcome);
      };
      const onAbort = () => {
        waiting.delete(settle);
        if (waiting.size === 0) this.#dialler.cancel(nodeId);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      waiting.add(settle);
      this.#seek(nodeId);
    });
  }

  /** A node is connected: who waited for it goes on. */
  arrived(nodeId: string, remote: Remote): void {
    this.#answer(nodeId, remote);
  }

  /** When `wake` has something to do. */
  get due(): number {
    return this.#dialler.due;
  }

  /** Gives up dials that have taken too long. */
  wake(now: number): void {
    this.#dialler.expire(now);
  }

  close(): void {
    this.#dialler.close();
    for (const nodeId of [...this.#waiting.keys()]) this.#answer(nodeId, CLOSED);
  }

  /** Dials a node that somebody waits for, unless that is under way. */
  #seek(nodeId: string): void {
    if (this.#dialler.isReaching(nodeId) || this.#locating.has(nodeId)) return;
    const named = this.#node.planner.addressOf(nodeId);
    const address = named ?? this.#node.keeper.book.get(nodeId)?.address;
    if (address !== undefined) this.#ask(nodeId, address, named === undefined);
    else void this.#locate(nodeId);
  }

  /** Who is waited for and is not where the operator says may be where the book says; who is not there either, where others say. */
  #seekElsewhere({ nodeId, address, kind, hearsay = kind !== 'persistent' && kind !== 'seed' }: Order): boolean {
    const { book } = this.#node.keeper;
    const key = placeOf(address)?.key;
    const next = [hearsay ? undefined : book.get(nodeId!)?.address, book.alternative(nodeId!)].find((one) => one !== undefined && one !== key);
    if (next === undefined || !this.#waiting.has(nodeId!)) return false;
    this.#ask(nodeId!, next, true);
    return true;
  }

  #ask(nodeId: string, address: string, hearsay: boolean): void {
    this.start({ address, nodeId, kind: 'asked', hearsay });
    this.#node.soon();
  }

  /** Is it dialled where the book has it? */
  #isBooked({ nodeId, address }: Order): boolean {
    return nodeId !== undefined && this.#node.keeper.book.at(address)?.nodeId === nodeId;
  }

  /** A node may call itself. */
  async #reachSelf(signal: AbortSignal): Promise<Remote> {
    const { transport } = this.#node.config;
    const addresses = transport.localAddrs();
    const proving = this.proves ? addresses.find((address) => this.#node.management.proves(address)) : undefined;
    return transport.dial(proving === undefined ? addresses[0]! : `${this.#node.nodeId}@${proving}`, { signal });
  }

  /** Nobody here knows where it is: the user may. */
  async #locate(nodeId: string): Promise<void> {
    const { locate } = this.#node.config;
    this.#locating.add(nodeId);
    let failure: unknown;
    let address: string | undefined;
    try {
      address = await locate?.(nodeId);
      if (address !== undefined) parseTarget(address);
    } catch (error) {
      failure = error;
      address = undefined;
    }
    this.#locating.delete(nodeId);
    if (address !== undefined && !this.#node.closed) return this.#ask(nodeId, address, false);
    const why = failure === undefined ? 'no address of it is known' : `'locate' failed: ${failure instanceof Error ? failure.message : String(failure)}`;
    this.#answer(nodeId, new TransportError('unavailable', `node ${nodeId} is not connected, and ${why}`, { sent: false, cause: failure }));
  }

  #live(nodeId: string): Remote | undefined {
    return this.#node.links(nodeId).find(this.#node.management.isUp);
  }

  #answer(nodeId: string, outcome: Remote | TransportError): void {
    const waiting = this.#waiting.get(nodeId);
    this.#waiting.delete(nodeId);
    for (const settle of waiting ?? []) settle(outcome);
  }
}

/** As an error of a dial reads. */
function toTarget({ code, reason, origin, message }: TransportError, target: string): TransportError {
  return new TransportError(code, `Cannot connect to ${target}: ${message}`, { reason, origin, target, sent: false });
}

/** Who is crawled is not the planner's affair: that it answers no more, after as many tries, is seen here. */
function crawledInVain(entry: { readonly failures: number } | undefined): boolean {
  return entry !== undefined && entry.failures >= MOST_CRAWLS;
}

/** Tendermint's maxAttemptsToDial, as the planner has it. */
const MOST_CRAWLS = 16;
/** Tendermint bans what it dialled in vain for so long. */
const DAY = 24 * 60 * 60_000;
const CLOSED = new TransportError('shutdown', 'these peers were closed', { sent: false });

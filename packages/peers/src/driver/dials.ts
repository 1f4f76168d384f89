// Runs dials that were ordered by the planner, by a crawling seed, or by a caller that waits for a
// node, and handles their outcomes. Each order ends exactly once: here, or in `Links` through
// `fulfil` and `refuse`. Tested as part of the driver, by the tests in src/.

import {
  type Clock,
  type ClockTimer,
  type Remote,
  TransportError,
} from '@trunkline/transport-core';
import {
  backgroundTimer,
  formatHostPort,
  inMs,
  parseTarget,
  reasonError,
} from '@trunkline/transport-core/backend';
import { spelled, splitScheme, withDetails } from '@trunkline/transport-core/internal';
import { type Place, placeOf } from '../address/place.ts';
import type { DialOrder } from '../dialing/dial-order.ts';
import type { Node } from './node.ts';

export class Dials {
  readonly #node: Node;
  readonly #orders = new Map<DialOrder, OrderInProgress>();
  /** Nodes whose address was requested from the user's `locate`. */
  readonly #locating = new Set<string>();
  /** Callers that wait for a connection to a node, at least one for each. `close` settles all. */
  readonly #waiting = new Map<string, Set<(outcome: Remote | TransportError) => void>>();

  constructor(node: Node) {
    this.#node = node;
  }

  /** Returns the orders that a dial of the transport serves. */
  of(target: string | undefined): DialOrder[] {
    return [...this.#orders].filter(([, one]) => one.target === target).map(([order]) => order);
  }

  /**
   * Returns the IP addresses at which to dial a target that is being dialed: those that
   * `placeToDial` has judged. If it returned none for a reported name, the transport would look the
   * name up again, and the answer would not be judged.
   */
  addressesOf(target: string): readonly string[] | undefined {
    return [...this.#orders.values()].find((one) => one.target === target)?.addresses;
  }

  /** Starts a dial. The book counts it as a failure until it succeeds or is cancelled. */
  start(order: DialOrder): void {
    if (order.nodeId !== undefined)
      this.#node.keeper.book.attempted(order.nodeId, this.#node.now(), order.address);
    void this.#run(order);
  }

  /**
   * Dials. The outcome is handled once, by whoever takes the order out of `#orders` first; if these
   * peers are closed in the meantime, it is not handled.
   */
  async #run(order: DialOrder): Promise<void> {
    const { clock } = this.#node;
    const one: OrderInProgress = { target: order.address, cancel: new AbortController() };
    this.#orders.set(order, one);
    try {
      // The user's `resolve` or `lookup` may never answer.
      const remote = await within(clock, LONGEST_DIAL, this.#dial(order, one), () => {
        const { target } = one;
        const text = `Cannot connect to ${target}: the dial was not complete after ${LONGEST_DIAL} ms`;
        return reasonError('dial_timeout', text, { target, sent: false });
      });
      if (this.#orders.delete(order)) this.#dialed(order, remote);
    } catch (error) {
      one.cancel.abort(); // Otherwise a dial that has timed out would continue.
      if (!this.#orders.delete(order)) return;
      const { target } = one;
      this.#failed(
        order,
        error instanceof TransportError
          ? withDetails(error, { unreachable: error.unreachable ?? true })
          : new TransportError('internal', String(error), { target, cause: error }),
      );
    }
  }

  async #dial(order: DialOrder, one: OrderInProgress): Promise<Remote> {
    const { config, proves } = this.#node;
    const { nodeId } = order;
    const place = placeToDial(order, this.#node);
    const { address, addresses } = await Promise.race([place, cancelled(one)]);
    one.addresses = addresses;
    // If this transport proves ids, the other end must prove the expected id.
    one.target = nodeId !== undefined && proves ? `${nodeId}@${address}` : address;
    return config.transport.dial(one.target, { signal: one.cancel.signal });
  }

  /** Completes the orders whose connection is up. */
  fulfil(orders: readonly DialOrder[], nodeId: string): void {
    const { planner } = this.#node;
    for (const order of orders)
      if (this.#orders.delete(order)) planner.opened(order, nodeId, this.#node.now());
  }

  /** Fails the orders whose connection is up, because the other end has no room for more peers. */
  refuse(orders: readonly DialOrder[], error: TransportError): void {
    for (const order of orders)
      if (this.#orders.delete(order)) this.#failed(order, toTarget(error, order.address));
  }

  #dialed(order: DialOrder, remote: Remote): void {
    const peer = this.#node.peerTable.of(remote);
    const { address, nodeId } = order;
    if (peer === undefined) {
      const full = reasonError('full', 'it has no room for another peer', { origin: 'remote' });
      const message = `Cannot make a peer of ${address}: the other end does not run peers`;
      const error = this.#node.visits.has(remote)
        ? toTarget(full, address)
        : new TransportError('failed_precondition', message, { target: address });
      return this.#failed(order, error);
    }
    if (nodeId !== undefined && nodeId !== peer.nodeId) {
      const message = `node ${nodeId} was dialed, but node ${peer.nodeId} is connected there`;
      return this.#failed(order, toTarget(reasonError('identity_mismatch', message), address));
    }
    // The connection was already up when it was ordered.
    this.#node.planner.opened(order, peer.nodeId, this.#node.now());
    this.answer(peer.nodeId, peer.main.remote);
    this.#node.soon();
  }

  #failed(order: DialOrder, error: TransportError): void {
    const { keeper, planner, closed } = this.#node;
    if (closed) return;
    const { book } = keeper;
    const { nodeId, address, kind } = order;
    const now = this.#node.now();
    if (error.reason === 'self') book.addOwn(address);
    if (nodeId !== undefined) {
      const isBooked = book.at(address)?.nodeId === nodeId;
      if (error.reason === 'identity_mismatch' && isBooked) book.remove(nodeId);
      else if (error.code === 'cancelled') book.cancelled(nodeId, address);
      else book.failed(nodeId, address, now);
    }
    const isGivenUp = planner.failed(order, error, now);
    const entry = nodeId === undefined ? undefined : book.get(nodeId);
    // The planner does not count the failures of crawls, but the book does.
    const isHopeless =
      kind === 'crawl'
        ? (entry?.failures ?? 0) >= MOST_CRAWLS
        : isGivenUp && entry?.lastSuccess === undefined;
    if (isHopeless && nodeId !== undefined) {
      // No dial ever reached a node there, or 16 dials in a row failed, the last one a crawl, no
      // matter who reported the address. Only the address is removed; the node id is not banned.
      book.remove(nodeId);
      planner.rest(address, now + DAY);
    }
    if (nodeId !== undefined && !this.#isSought(nodeId) && !this.#seekElsewhere(order))
      this.answer(nodeId, this.#live(nodeId) ?? error);
    this.#node.rejected({ direction: 'out', error, nodeId, addr: spelled(address) });
    this.#node.soon();
  }

  /**
   * Resolves with a connection to a node: a live one if there is one, or otherwise a new one.
   * Rejects with the signal's reason, with `shutdown` when these peers are closed, with the reason
   * `denied` for a banned node, with `unavailable` if no address is known, or with the error of the
   * last dial. The signal must not have aborted already, which the transport's `Dialer` ensures.
   */
  reach(nodeId: string, signal: AbortSignal): Promise<Remote> {
    const { closed, keeper } = this.#node;
    const live = this.#live(nodeId);
    if (live !== undefined) return Promise.resolve(live);
    if (closed) return Promise.reject(CLOSED);
    if (nodeId === this.#node.nodeId) return this.#reachSelf(signal);
    if (keeper.book.isBanned(nodeId, this.#node.now()))
      return Promise.reject(
        reasonError('denied', `node ${nodeId} is banned by this node`, { sent: false }),
      );
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
        if (waiting.size === 0) this.#cancel(nodeId);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      waiting.add(settle);
      this.#seek(nodeId);
    });
  }

  close(): void {
    const all = [...this.#orders.values()];
    this.#orders.clear(); // The dials have no outcome.
    for (const { cancel } of all) cancel.abort();
    for (const nodeId of [...this.#waiting.keys()]) this.answer(nodeId, CLOSED);
  }

  /** Dials a node that a caller waits for, unless it is being dialed or located already. */
  #seek(nodeId: string): void {
    if (!this.#isSought(nodeId) && !this.#seekKnown(nodeId)) void this.#locate(nodeId);
  }

  /** Dials a node at the operator's address or that of the book. Returns false without either. */
  #seekKnown(nodeId: string): boolean {
    const named = this.#node.planner.addressOf(nodeId);
    const address = named ?? this.#node.keeper.book.get(nodeId)?.address;
    if (address !== undefined) this.#ask(nodeId, address, named === undefined);
    return address !== undefined;
  }

  /**
   * Dials the next address of a node that a caller waits for: first the operator's address, then
   * the one in the address book, then an alternative that other nodes reported. Returns false if no
   * address is left.
   */
  #seekElsewhere(order: DialOrder): boolean {
    const { nodeId, address } = order;
    const { book } = this.#node.keeper;
    const key = placeOf(address)?.key;
    const next = [
      isReported(order) ? undefined : book.get(nodeId!)?.address,
      book.alternative(nodeId!),
    ].find((one) => one !== undefined && one !== key);
    if (next === undefined || !this.#waiting.has(nodeId!)) return false;
    this.#ask(nodeId!, next, true);
    return true;
  }

  #ask(nodeId: string, address: string, reported: boolean): void {
    this.start({ address, nodeId, kind: 'asked', reported });
    this.#node.soon();
  }

  /** Connects this node to itself, which is allowed. */
  async #reachSelf(signal: AbortSignal): Promise<Remote> {
    const { transport } = this.#node.config;
    const addresses = transport.localAddrs();
    const proving = this.#node.proves
      ? addresses.find((address) => this.#node.management.proves(address))
      : undefined;
    return transport.dial(
      proving === undefined ? addresses[0]! : `${this.#node.nodeId}@${proving}`,
      { signal },
    );
  }

  /** Asks the user's `locate` for the address of a node if this node knows none. */
  async #locate(nodeId: string): Promise<void> {
    const { clock, config } = this.#node;
    this.#locating.add(nodeId);
    let address: string | undefined;
    let why = 'no address of the node is known';
    let cause: unknown;
    try {
      address = await within(clock, LONGEST_DIAL, config.locate?.(nodeId), () =>
        silent('it', LONGEST_DIAL),
      );
      if (address !== undefined) parseTarget(address);
    } catch (error) {
      address = undefined;
      why = `'locate' failed: ${error instanceof Error ? error.message : String(error)}`;
      cause = error;
    }
    this.#locating.delete(nodeId);
    if (!this.#waiting.has(nodeId)) return;
    if (address !== undefined) return this.#ask(nodeId, address, false);
    // An address may have become known meanwhile, and the planner may be dialing it.
    if (this.#isSought(nodeId) || this.#seekKnown(nodeId)) return;
    const message = `node ${nodeId} is not connected: ${why}`;
    const details = { sent: false, unreachable: true, cause };
    this.answer(nodeId, new TransportError('unavailable', message, details));
  }

  /**
   * Returns whether a node is being dialed or located. A dial that was cancelled serves no new
   * caller.
   */
  #isSought(nodeId: string): boolean {
    for (const [order, { cancel }] of this.#orders)
      if (order.nodeId === nodeId && !cancel.signal.aborted) return true;
    return this.#locating.has(nodeId);
  }

  /** Cancels the dials of a node that no caller waits for any more. */
  #cancel(nodeId: string): void {
    this.#waiting.delete(nodeId);
    for (const [order, { cancel }] of this.#orders)
      if (order.kind === 'asked' && order.nodeId === nodeId) cancel.abort();
  }

  #live(nodeId: string): Remote | undefined {
    return this.#node.links(nodeId).find(this.#node.management.isUp);
  }

  /** Settles the waits for a node, which is connected now or can't be reached. */
  answer(nodeId: string, outcome: Remote | TransportError): void {
    const waiting = this.#waiting.get(nodeId);
    this.#waiting.delete(nodeId);
    for (const settle of waiting ?? []) settle(outcome);
  }
}

/**
 * Resolves to `result`. Throws `late()` if that takes more than `time` milliseconds; the work
 * behind `result` then goes on, and its outcome is ignored.
 */
export async function within<T>(
  clock: Clock,
  time: number,
  result: T | Promise<T>,
  late: () => TransportError,
): Promise<T> {
  let timer: ClockTimer;
  const timeout = new Promise<never>((_, reject) => {
    timer = backgroundTimer(clock, () => reject(late()), time);
  });
  try {
    return await Promise.race([result, timeout]);
  } finally {
    clock.clearTimeout(timer!);
  }
}

/** Rejects when the dial is cancelled, which ends its wait for the user's `lookup`. */
function cancelled({ target, cancel: { signal } }: OrderInProgress): Promise<never> {
  return new Promise((_, reject) => {
    const message = `the dial of ${target} was cancelled`;
    const end = () => reject(new TransportError('cancelled', message, { target, sent: false }));
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Returns the error for a function of the user that did not answer; its text begins with `who`. */
export function silent(who: string, time: number): TransportError {
  return reasonError('refused', `${who} did not answer within ${inMs(time)}`);
}

/** Converts the error of a connection into the error of a dial. */
function toTarget(
  { code, reason, origin, message }: TransportError,
  target: string,
): TransportError {
  const details = { reason, origin, target, sent: false };
  return new TransportError(code, `Cannot connect to ${target}: ${message}`, details);
}

/**
 * Number of failed dials in a row after which a failed crawl removes a node: Tendermint's
 * maxAttemptsToDial, as in the planner.
 */
const MOST_CRAWLS = 16;
/** Milliseconds of a day, the time for which Tendermint bans a node that it could not dial. */
const DAY = 24 * 60 * 60_000;
const CLOSED = new TransportError('shutdown', 'these peers were closed', { sent: false });

// Decides at which address an order is dialed. A host name that other nodes reported is dialed only
// at the IP addresses to which it resolves and that may be dialed.

/**
 * Returns where to dial an order: the address, and the IP addresses of its host name for a
 * transport that keeps the name for TLS. A host name that other nodes reported is looked up, and
 * its addresses are judged like reported ones. The dial uses these addresses, because a second
 * lookup could return others. Rejects if none may be dialed.
 */
async function placeToDial(
  order: DialOrder,
  node: Node,
): Promise<{ readonly address: string; readonly addresses?: readonly string[] }> {
  const { address, nodeId } = order;
  const { config, keeper, management, policy } = node;
  if (policy.isOpen || !isReported(order)) return { address };
  const place = placeOf(address);
  if (place === undefined) throw refused(address, 'it is malformed');
  const source = nodeId === undefined ? undefined : keeper.book.sourceOf(nodeId, place);
  // The book has judged an IP address before it was dialed for the first time.
  if (place.ip !== undefined && source === undefined) return { address };
  const why = policy.refusal(place, source ?? '');
  if (why !== undefined) throw refused(address, `it ${why}`);
  const lookup = config.lookup ?? management.machine?.lookup;
  if (!hasHostName(place) || lookup === undefined) return { address };
  const found = (await find(place, address, lookup)).slice(0, FOUND);
  const addresses = found.filter((ip) => {
    const there = placeOf(formatHostPort(ip, place.port));
    return there?.ip !== undefined && policy.refusal(there, source ?? '') === undefined;
  });
  const [first] = addresses;
  if (first === undefined)
    throw refused(address, `it resolves to ${found.join(', ') || 'nothing'}`);
  if (management.machine !== undefined) return { address, addresses };
  const { scheme, rest } = splitScheme(address);
  const path = /[/?#].*$/u.exec(rest)?.[0] ?? '';
  const prefix = scheme === undefined ? '' : `${scheme}://`;
  return { address: `${prefix}${formatHostPort(first, place.port)}${path}` };
}

/** Returns whether the address has a host name of the network, and not a name of another scheme. */
function hasHostName(place: Place): place is Place & { readonly port: number } {
  const { kind, port, key } = place;
  return kind === 'name' && port !== undefined && /^(?:(?:tcp|wss?):\/\/|(?!.*:\/\/))/.test(key);
}

async function find(
  { host }: Place,
  target: string,
  lookup: (host: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    return await lookup(host);
  } catch (error) {
    throw error instanceof TransportError
      ? withDetails(error, { target })
      : reasonError('host_not_found', `Cannot look up ${host}: ${String(error)}`, {
          target,
          cause: error,
        });
  }
}

function refused(address: string, why: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot dial ${address}, which a peer reported (see the option 'addresses' of createPeers): ${why}`,
    { target: address, sent: false },
  );
}

/** Maximum number of addresses of one name that are checked. */
const FOUND = 16;

/** Returns true if other nodes reported the address of an order. */
function isReported({ kind, reported }: DialOrder): boolean {
  return reported ?? (kind !== 'persistent' && kind !== 'seed');
}

/** An order in progress. */
interface OrderInProgress {
  /** The target that the transport was given. */
  target: string;
  /** The IP addresses to dial, if the target has a host name that was looked up. */
  addresses?: readonly string[] | undefined;
  readonly cancel: AbortController;
}

/**
 * Time limit of a dial in milliseconds, including name resolution. The transport's own limits
 * (`dialTimeout`, `handshakeTimeout`) are shorter.
 */
const LONGEST_DIAL = 60_000;

/** Wraps an error that a filter threw, for both ends to see. Returns a TransportError unchanged. */
export function filterRefusal(filter: string, error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  return reasonError(
    'refused',
    `${filter} of the other end refused: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  );
}

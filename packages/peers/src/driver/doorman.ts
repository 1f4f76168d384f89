// Admission of connections: judges each connection whose hello was read, asks the filters, and
// reserves its place until it is up.

import { type Clock, type PendingConnection, type Remote, reasonError, type TransportError } from '@trunkline/transport-core';
import { type Candidate, type Caps, type Hall, judge } from '../admission/admission.ts';
import type { PeersConfig } from '../options.ts';
import { VISIT } from '../protocol.ts';
import type { Order } from './dialer.ts';
import { refusedBy } from './rejection.ts';
import type { Visits } from './visits.ts';

/** A connection that may come up as a peer's. */
export interface Guest extends Candidate {
  readonly persistent: boolean;
  /** The address that this node's planner dialed to get it. */
  readonly dialed: string | undefined;
  /** The dial orders that it fulfills. */
  readonly orders: readonly Order[];
  /** Whether the peer was lost by chance and is dialed again. */
  readonly returned: boolean;
  /** Why it does not become a peer; the connection then serves for one exchange of addresses. */
  refused: TransportError | undefined;
}

export class Doorman {
  /** Admitted connections that are not up yet. */
  readonly guests = new Map<Remote, Guest>();
  readonly #filters: PeersConfig['filters'];
  readonly #clock: Clock;
  readonly #caps: Caps;
  readonly #visits: Visits;
  /** Whether this node sends addresses to others. */
  readonly #tells: boolean;

  constructor({ filters, maxInbound, addresses, exchange }: PeersConfig, clock: Clock, visits: Visits) {
    this.#visits = visits;
    this.#tells = exchange.enabled && maxInbound > 0;
    this.#filters = filters;
    this.#clock = clock;
    // With public addresses, one network gets at most a quarter of the places, because an attacker
    // has few networks.
    this.#caps = { maxInbound, maxPerGroup: addresses === 'public' ? Math.max(1, Math.ceil(maxInbound / 4)) : Number.POSITIVE_INFINITY };
  }

  /**
   * Admits a guest, or throws or rejects. `asked` is the address that is passed to the address
   * filter.
   */
  receive(pendingConnection: PendingConnection, guest: Guest, hall: Hall, asked: string): void | Promise<void> {
    const { remote } = pendingConnection;
    const refusal = judge(guest, hall, this.#caps);
    if (refusal !== undefined) {
      if (!this.#mayVisit(guest, refusal, hall)) throw refusal;
      guest.refused = refusal;
      pendingConnection.answer = [VISIT];
    }
    this.guests.set(remote, guest);
    const { address, nodeId } = this.#filters;
    if (address === undefined && nodeId === undefined) return undefined;
    return this.#filter(remote, guest, asked);
  }

  /**
   * Returns the number of ordinary guests that dialed this node, optionally only those of one
   * group.
   */
  inbound(group?: string): number {
    let count = 0;
    for (const guest of this.guests.values())
      if (guest.direction === 'in' && !guest.exempt && guest.refused === undefined && (group === undefined || guest.group === group)) count++;
    return count;
  }

  /** Returns whether a node that is refused because this one is full may ask for addresses. */
  #mayVisit({ nodeId }: Guest, refusal: TransportError, hall: Hall): boolean {
    if (!this.#tells || refusal.reason !== 'full' || hall.peer(nodeId) !== undefined) return false;
    const coming: string[] = [];
    for (const guest of this.guests.values()) if (guest.direction === 'in' && guest.refused !== undefined) coming.push(guest.nodeId);
    return this.#visits.take(nodeId, coming, this.#clock.now());
  }

  async #filter(remote: Remote, guest: Guest, asked: string): Promise<void> {
    const { address, nodeId, timeout } = this.#filters;
    const enough = new AbortController();
    const late = this.#clock.sleep(timeout, enough.signal).then(
      () => {
        throw reasonError('refused', `a filter of the other end did not answer within ${timeout} ms`);
      },
      () => {},
    );
    const answers = async () => {
      await address?.(asked, remote);
      await nodeId?.(guest.nodeId, remote);
    };
    try {
      await Promise.race([answers(), late]);
    } catch (error) {
      throw refusedBy('a filter', error);
    } finally {
      enough.abort();
    }
  }
}

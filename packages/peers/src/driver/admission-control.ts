// Admission of connections: judges each connection whose hello was read, asks the filters, and
// reserves its place until it is up.

import type { Clock, Remote, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import type { PendingConnection } from '@trunkline/transport-core/internal';
import {
  type AdmissionLimits,
  type AdmissionState,
  type Candidate,
  judge,
} from '../admission/admission.ts';
import type { PeersConfig } from '../options.ts';
import { VISIT } from '../protocol.ts';
import type { Order } from './dialer.ts';
import { refusedBy } from './rejection.ts';
import type { Visits } from './visits.ts';

/** A connection that may come up as a peer's. */
export interface AdmittedConnection extends Candidate {
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

export class AdmissionControl {
  /** Admitted connections that are not up yet. */
  readonly connections = new Map<Remote, AdmittedConnection>();
  readonly #filters: PeersConfig['filters'];
  readonly #clock: Clock;
  readonly #limits: AdmissionLimits;
  readonly #visits: Visits;
  /** Whether this node sends addresses to others. */
  readonly #tells: boolean;

  constructor(
    { filters, maxInbound, addresses, exchange }: PeersConfig,
    clock: Clock,
    visits: Visits,
  ) {
    this.#visits = visits;
    this.#tells = exchange.enabled && maxInbound > 0;
    this.#filters = filters;
    this.#clock = clock;
    // With public addresses, one network gets at most a quarter of the places, because an attacker
    // has few networks.
    this.#limits = {
      maxInbound,
      maxPerGroup:
        addresses === 'public' ? Math.max(1, Math.ceil(maxInbound / 4)) : Number.POSITIVE_INFINITY,
    };
  }

  /**
   * Admits a connection, or throws or rejects. `asked` is the address that is passed to the address
   * filter.
   */
  receive(
    pendingConnection: PendingConnection,
    admitted: AdmittedConnection,
    state: AdmissionState,
    asked: string,
  ): void | Promise<void> {
    const { remote } = pendingConnection;
    const refusal = judge(admitted, state, this.#limits);
    if (refusal !== undefined) {
      if (!this.#mayVisit(admitted, refusal, state)) throw refusal;
      admitted.refused = refusal;
      pendingConnection.answer = [VISIT];
    }
    this.connections.set(remote, admitted);
    const { address, nodeId } = this.#filters;
    if (address === undefined && nodeId === undefined) return undefined;
    return this.#filter(remote, admitted, asked);
  }

  /**
   * Returns the number of ordinary connections that dialed this node, optionally only those of one
   * group.
   */
  inbound(group?: string): number {
    let count = 0;
    for (const admitted of this.connections.values())
      if (
        admitted.direction === 'in' &&
        !admitted.exempt &&
        admitted.refused === undefined &&
        (group === undefined || admitted.group === group)
      )
        count++;
    return count;
  }

  /** Returns whether a node that is refused because this one is full may ask for addresses. */
  #mayVisit(
    { nodeId }: AdmittedConnection,
    refusal: TransportError,
    state: AdmissionState,
  ): boolean {
    if (!this.#tells || refusal.reason !== 'full' || state.peer(nodeId) !== undefined) return false;
    const coming: string[] = [];
    for (const admitted of this.connections.values())
      if (admitted.direction === 'in' && admitted.refused !== undefined)
        coming.push(admitted.nodeId);
    return this.#visits.take(nodeId, coming, this.#clock.now());
  }

  async #filter(remote: Remote, admitted: AdmittedConnection, asked: string): Promise<void> {
    const { address, nodeId, timeout } = this.#filters;
    const enough = new AbortController();
    const late = this.#clock.sleep(timeout, enough.signal).then(
      () => {
        throw reasonError(
          'refused',
          `a filter of the other end did not answer within ${timeout} ms`,
        );
      },
      () => {},
    );
    const answers = async () => {
      await address?.(asked, remote);
      await nodeId?.(admitted.nodeId, remote);
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

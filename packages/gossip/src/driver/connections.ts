// The connections that gossip uses: the one to a peer that is in use now, and dials.

import type { PeerInfo, Peers } from '@trunkline/peers';
import { type AnyTransport, type Remote, TransportError } from '@trunkline/transport-core';
import { inMs } from '@trunkline/transport-core/backend';

/**
 * The connection to a peer. Another connection of the same peer may replace it at any time. It is
 * kept open, even if it is idle for a while, while the peer is a neighbor on any topic.
 */
export class CurrentConnection {
  /** The connection in use when it was last looked up. */
  remote: Remote;
  readonly #transport: AnyTransport;
  readonly #peers: Pick<Peers, 'get'>;
  readonly #nodeId: string;
  readonly #instance: string;
  /** The topics on which the peer is a neighbor. */
  readonly #topics = new Set<string>();
  /** Releases the hold on `remote`; undefined if there is none. */
  #release: (() => void) | undefined = undefined;

  constructor(
    transport: AnyTransport,
    peers: Pick<Peers, 'get'>,
    { nodeId, instance, remote }: PeerInfo,
  ) {
    this.#transport = transport;
    this.#peers = peers;
    this.#nodeId = nodeId;
    this.#instance = instance;
    this.remote = remote;
  }

  /** The connection to use now; undefined if there is none. */
  get current(): Remote | undefined {
    return this.remote.closed ? this.refresh() : this.remote;
  }

  /**
   * Looks up again which connection to the peer is in use, because another may have replaced it.
   */
  refresh(): Remote | undefined {
    const peer = this.#peers.get(this.#nodeId);
    if (peer === undefined || peer.instance !== this.#instance) return undefined;
    if (peer.remote !== this.remote) {
      this.remote = peer.remote;
      this.#hold();
    }
    return peer.remote;
  }

  /** Records that the peer has become a neighbor on a topic, or is no longer one. */
  keep(topic: string, isNeighbor: boolean): void {
    if (isNeighbor) this.#topics.add(topic);
    else this.#topics.delete(topic);
    if (this.#topics.size === 0 || this.#release === undefined) this.#hold();
  }

  /** Ends the hold, because the peer is gone. */
  close(): void {
    this.#topics.clear();
    this.#hold();
  }

  /** Moves the hold to the connection in use, or ends it. */
  #hold(): void {
    this.#release?.();
    this.#release = this.#topics.size === 0 ? undefined : this.#transport.hold(this.remote);
  }
}

// Dials nodes by their ids for callers that wait for the connection. There is one dial per node and
// a limited number of dials at once, each with a timeout.

/** The reason for a dial: a request of the user or of gossip, or a name that a member gave. */
export type DialCause = 'user' | 'gossip' | 'named';

interface Dial {
  readonly late: AbortController;
  readonly done: Promise<void>;
  /** True if members of a topic named the node. */
  isNamed: boolean;
}

interface DialablePeers {
  /** Registers a connected peer as a member while `Dials.isNamed` still knows its dial. */
  get(nodeId: string): unknown;
  mayDial(nodeId: string): boolean;
}

/** Dials nodes by id: one dial for each node, with a timeout. */
export class Dials {
  readonly #transport: AnyTransport;
  readonly #peers: DialablePeers;
  /**
   * The dials under way, each with its own controller: a shared signal would collect a listener for
   * each dial.
   */
  readonly #underWay = new Map<string, Dial>();
  #isOver = false;

  constructor(transport: AnyTransport, peers: DialablePeers) {
    this.#transport = transport;
    this.#peers = peers;
  }

  /**
   * Connects to a node. Resolves when it is connected. If the user did not request the dial, banned
   * nodes are not dialed, and in a fixed topology only listed nodes are.
   */
  reach(nodeId: string, timeout: number, cause: DialCause): Promise<void> {
    if (this.#peers.get(nodeId) !== undefined) return Promise.resolve();
    if (cause !== 'user' && !this.#peers.mayDial(nodeId)) {
      const text = `node ${nodeId} is not dialed: it is banned, or the topology is fixed and does not list it`;
      return Promise.reject(notReached('failed_precondition', nodeId, text));
    }
    let dial = this.#underWay.get(nodeId);
    if (dial === undefined) {
      if (this.#underWay.size >= AT_ONCE) {
        const text = `${AT_ONCE} nodes are already being dialed`;
        return Promise.reject(notReached('resource_exhausted', nodeId, text));
      }
      const late = new AbortController();
      const done = this.#dial(nodeId, timeout, late).finally(() => this.#underWay.delete(nodeId));
      dial = { late, done, isNamed: false };
      this.#underWay.set(nodeId, dial);
    }
    dial.isNamed ||= cause === 'named';
    return dial.done;
  }

  /** Returns true if the node is being dialed and members of a topic named it. */
  isNamed(nodeId: string): boolean {
    return this.#underWay.get(nodeId)?.isNamed === true;
  }

  close(): void {
    this.#isOver = true;
    for (const { late } of this.#underWay.values()) late.abort(CLOSED);
  }

  async #dial(nodeId: string, timeout: number, late: AbortController): Promise<void> {
    const { clock } = this.#transport;
    const timer = clock.setTimeout(() => {
      const text = `node ${nodeId} could not be reached within ${inMs(timeout)}`;
      late.abort(notReached('deadline_exceeded', nodeId, text));
    }, timeout);
    try {
      if (this.#isOver) throw CLOSED;
      await this.#transport.dial(`node:${nodeId}`, { signal: late.signal });
      if (this.#peers.get(nodeId) === undefined) throw noLongerHere(nodeId);
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      clock.clearTimeout(timer);
    }
  }
}

/** Returns the error for a node that was dialed, and disconnected at once. */
export function noLongerHere(nodeId: string): TransportError {
  return notReached('unavailable', nodeId, `node ${nodeId} is no longer connected`);
}

function notReached(code: TransportError['code'], target: string, text: string): TransportError {
  return new TransportError(code, text, { target, sent: false });
}

/** Maximum number of concurrent dials. */
const AT_ONCE = 64;
const CLOSED = new TransportError('shutdown', 'gossip was closed');

// Admission: decides, for each connection whose hello was read, whether it may become a peer, and
// limits the visits to a full node. Pure; the driver runs the slow checks (filters) afterwards.

import type { Protocol, Remote, TransportError } from '@trunkline/transport-core';
import { isNodeId, reasonError } from '@trunkline/transport-core/backend';
import { dropOldest, RateLimit } from '../limits.ts';

/** A connection whose hello was read. */
export interface Candidate {
  readonly nodeId: string;
  readonly proven: boolean;
  readonly instance: string;
  readonly direction: 'in' | 'out';
  /** True if the node is persistent or unconditional, so that no limit applies to it. */
  readonly exempt: boolean;
  /** The network that it comes from, if the number of peers per network is limited. */
  readonly group: string | undefined;
}

/** The state of this node, and what it knows of the candidate. */
export interface AdmissionState {
  readonly nodeId: string;
  readonly maxInbound: number;
  readonly maxPerGroup: number;
  readonly isBanned: boolean;
  /** The connected peer that has the candidate's id. */
  readonly known: ConnectedPeer | undefined;
  /**
   * Returns true if another instance recently replaced the candidate's, which means that both are
   * alive. Called only for an instance that would replace the connected instance.
   */
  isTwin(): boolean;
  /**
   * Number of ordinary peers that dialed this node, including those whose connection is not up yet.
   */
  readonly inbound: number;
  /** Returns the number of these peers that would make room for another peer. */
  yielding(): number;
  /** Returns the number of ordinary inbound peers of one group. */
  ofGroup(group: string): number;
}

export interface ConnectedPeer {
  readonly instance: string;
  readonly proven: boolean;
  readonly links: number;
  /**
   * True if none of its connections takes calls any more. A new connection then counts as a new
   * peer.
   */
  readonly isParting: boolean;
  /** True if it is counted in `inbound`. */
  readonly isInbound: boolean;
}

/**
 * Returns the reason why a connection is refused, or undefined if it is accepted. Both ends see the
 * text.
 */
export function judge(candidate: Candidate, state: AdmissionState): TransportError | undefined {
  const { nodeId, instance, proven, direction, group } = candidate;
  const { known } = state;
  // Core has checked the id that a hello claims, but not one that a stream layer has proved.
  if (!isNodeId(nodeId))
    return reasonError(
      'malformed',
      `a node id must be 64 lower-case hex digits, but this one is '${nodeId.slice(0, 100)}'`,
    );
  if (nodeId === state.nodeId)
    return reasonError(
      'self',
      `node ${nodeId} would be its own peer: two nodes have the same identity, or a node dialed itself`,
    );
  if (state.isBanned) return reasonError('denied', `node ${nodeId} is banned`);
  // An instance is not a secret. So a connection that only repeats the instance must not be added
  // to a peer that proved its id, nor a proven connection to a peer that did not.
  const isSame = known?.instance === instance && known.proven === proven;
  if (isSame && !known.isParting)
    return known.links < LINKS
      ? undefined
      : reasonError('full', `node ${nodeId} has ${known.links} links, more than one pool opens`);
  // A node that proves its id replaces the peer that has it, because either the node restarted or
  // the peer only asserted the id. If two nodes assert the same id, the first one stays.
  if (known !== undefined && !isSame && !proven)
    return reasonError(
      'duplicate',
      `node ${nodeId} is already connected; an id that is only asserted belongs to its first connection`,
    );
  if (known?.proven === true && !isSame && !known.isParting && state.isTwin())
    return twinError(nodeId, instance);
  if (direction === 'out' || candidate.exempt || (known !== undefined && !isSame)) return undefined;
  const others = state.inbound - state.yielding() - (known?.isInbound ? 1 : 0);
  if (others >= state.maxInbound)
    return reasonError(
      'full',
      `${state.inbound} peers that dialed this node are connected, maxInbound allows no more`,
    );
  if (group === undefined || state.ofGroup(group) < state.maxPerGroup) return undefined;
  return reasonError(
    'full',
    `${state.maxPerGroup} peers of the network ${group} that dialed this node are connected, maxPerGroup allows no more`,
  );
}

/**
 * Maximum number of connections of one peer: the number that the largest pool opens in both
 * directions together.
 */
const LINKS = 128;

// Compares the protocols of two nodes: nodes that can't speak with each other are not peers.

/** The description of a protocol in a hello. */
export type ListedProtocol = Pick<Protocol, 'name' | 'version' | 'accepts' | 'channel'>;

/**
 * Returns the reason why the sender of a list of protocols can't be a peer, or undefined if it can.
 * Both ends see the text. @param own protocols that must agree if both ends have mounted them.
 * @param required protocols that the sender must have mounted.
 */
export function incompatibility(
  theirs: readonly ListedProtocol[],
  own: readonly Protocol[],
  required: readonly Protocol[],
): TransportError | undefined {
  for (const protocol of [...own, ...required]) {
    const { name, channel } = protocol;
    const listed = theirs.find((one) => one.name === name);
    if (listed === undefined) {
      if (!required.includes(protocol)) continue;
      return reasonError(
        'no_shared_protocol',
        `one end requires that its peers have mounted '${name}' (createPeers: require), and the other has not; mount it there`,
      );
    }
    if (listed.channel !== channel)
      return reasonError(
        'channel_mismatch',
        `protocol '${name}' has channel ${channel} at one end and ${listed.channel} at the other: give it the same channel on every node`,
      );
    const [ours, known] = [versionsOf(protocol), versionsOf(listed)];
    if (!ours.some((version) => known.includes(version)))
      return reasonError(
        'version_mismatch',
        `protocol '${name}': one end speaks version ${ours.join(', ')}, the other ${known.join(', ')}; they share none`,
      );
  }
  return undefined;
}

function versionsOf({ version, accepts }: ListedProtocol): number[] {
  return [version, ...accepts];
}

// Detects two live nodes with one key. The newest instance of a node replaces older instances, as
// it must after a restart. If an instance comes back after it was replaced, there was no restart:
// two instances are alive and would replace each other again and again. This module has no clock:
// `now` is passed in.

interface Replaced {
  /** Time at which the refusal ends; undefined if the instance has not come back. */
  until: number | undefined;
  /** True if a refusal of the instance was reported. */
  told: boolean;
}

export class Twins {
  /** Replaced instances by node id and instance, oldest first. */
  readonly #replaced = new Map<string, Replaced>();

  /** Records that an instance of a node was replaced by another one. */
  replaced(nodeId: string, instance: string): void {
    const key = keyOf(nodeId, instance);
    this.#replaced.delete(key);
    this.#replaced.set(key, { until: undefined, told: false });
    dropOldest(this.#replaced, MOST);
  }

  /**
   * Returns true if an instance should be refused because it was replaced and came back. Call it
   * only while another instance is connected: the first call begins a period of 30 seconds, and the
   * first call after that period forgets the instance, which is then judged like any other.
   */
  isTwin(nodeId: string, instance: string, now: number): boolean {
    const key = keyOf(nodeId, instance);
    const replaced = this.#replaced.get(key);
    if (replaced === undefined) return false;
    replaced.until ??= now + REFUSED;
    if (now < replaced.until) return true;
    this.#replaced.delete(key);
    return false;
  }

  /**
   * Returns true if a refusal should be reported, and remembers that. The refusal of a twin is
   * reported once after it was replaced, and never if the replacement is forgotten; any other
   * refusal is always reported.
   */
  isNews(error: TransportError): boolean {
    const key = twinOf(error);
    if (key === undefined) return true;
    const replaced = this.#replaced.get(key);
    const isNews = replaced?.told === false;
    if (replaced !== undefined) replaced.told = true;
    return isNews;
  }
}

/** Creates the error with which a twin is refused. It is sent to the twin, so both ends see it. */
export function twinError(nodeId: string, instance: string): TransportError {
  const message = `node ${nodeId} is connected as another instance, which had replaced this one (${instance}): two running nodes have the same key. This instance is refused for ${REFUSED / 1000} s; give each node its own key, or stop one of them`;
  return reasonError('duplicate', message, { metadata: { nodeId, instance } });
}

/** Returns the key of the twin if the error was made here ('local') to refuse a twin. */
export function twinOf({ reason, origin, metadata }: TransportError): string | undefined {
  const { nodeId, instance } = metadata ?? {};
  return reason === 'duplicate' &&
    origin === 'local' &&
    nodeId !== undefined &&
    instance !== undefined
    ? keyOf(nodeId, instance)
    : undefined;
}

function keyOf(nodeId: string, instance: string): string {
  return `${nodeId}/${instance}`;
}

/** Milliseconds for which a twin is refused. */
const REFUSED = 30_000;
/** Maximum number of replaced instances that are remembered. Each restart of a peer adds one. */
const MOST = 1_024;

// Visits: a full node answers one request of a newcomer for addresses, and then the connection
// ends. Neither end treats it as a peer's connection.

interface Visit {
  readonly nodeId: string;
  /** Time at which the visit times out. */
  readonly due: number;
  /** True if the request was answered or the visit timed out. */
  isOver: boolean;
}

export class Visits {
  readonly #pause: number;
  readonly #rate = new RateLimit(RATE, 1_000 / RATE);
  readonly #open = new Map<Remote, Visit>();
  /**
   * Node id → the time at which addresses were last sent to it, oldest first. The rate limit bounds
   * the number of entries.
   */
  readonly #told = new Map<string, number>();

  /** @param pause milliseconds until a node that was answered may visit again. */
  constructor(pause: number) {
    this.#pause = pause;
  }

  /** Number of answered nodes that are remembered. */
  get size(): number {
    return this.#told.size;
  }

  /**
   * Admits a visit, unless the node has another visit, too many visits are open, the node was
   * answered recently, or the rate is exceeded. @param coming ids of the nodes whose visits were
   * admitted but whose connections are not up yet.
   */
  take(nodeId: string, coming: readonly string[], now: number): boolean {
    const open = [...coming];
    for (const [{ direction }, visit] of this.#open)
      if (direction === 'in') open.push(visit.nodeId);
    this.#forget(now);
    if (open.includes(nodeId) || open.length >= AT_ONCE) return false;
    return !this.#told.has(nodeId) && this.#rate.tryTake(now);
  }

  begin(remote: Remote, nodeId: string, now: number): void {
    this.#open.set(remote, { nodeId, due: now + LONGEST, isOver: false });
  }

  end(remote: Remote): void {
    this.#open.delete(remote);
  }

  has(remote: Remote): boolean {
    return this.#open.has(remote);
  }

  /**
   * Ends the exchange of a visit: called for the single request of a visitor, or the single answer
   * of a host. Returns the other end's node id, or undefined if no request or answer is expected on
   * this connection.
   */
  conclude(remote: Remote, direction: 'in' | 'out', now: number): string | undefined {
    const visit = this.#open.get(remote);
    if (visit === undefined || visit.isOver || remote.direction !== direction) return undefined;
    visit.isOver = true;
    if (direction === 'in') this.#told.set(visit.nodeId, now);
    return visit.nodeId;
  }

  /** Time at which the first visit times out. */
  get wakeAt(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const visit of this.#open.values()) if (!visit.isOver) due = Math.min(due, visit.due);
    return due;
  }

  /** Returns the connections of visits that have timed out, to be closed. */
  expire(now: number): Remote[] {
    const late: Remote[] = [];
    for (const [remote, visit] of this.#open) {
      if (visit.isOver || now < visit.due) continue;
      visit.isOver = true;
      late.push(remote);
    }
    return late;
  }

  /** Forgets all visits and returns their connections. */
  close(): Remote[] {
    const all = [...this.#open.keys()];
    this.#open.clear();
    return all;
  }

  #forget(now: number): void {
    for (const [nodeId, time] of this.#told) {
      if (now - time < this.#pause) return;
      this.#told.delete(nodeId);
    }
  }
}

/** Time limit of a visit in milliseconds: one or two round trips over a slow connection. */
const LONGEST = 3_000;
/**
 * Maximum number of visits per second, on average and at once; 200 nodes that start together are
 * served within two seconds.
 */
const RATE = 100;
/** Maximum number of open visits. */
const AT_ONCE = 64;

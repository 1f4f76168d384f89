// The pure rules of admission: compares the protocols of two nodes, detects twins, and limits the
// visits to a full node. Tested in admission.test.ts.

import type { Protocol, Remote, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { dropOldest, RateLimit } from '../limits.ts';

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

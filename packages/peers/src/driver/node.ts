// The state that the parts of the driver share: this node, its peers, its address book and its
// planner. `PeersDriver` owns it. Tested by the tests in src/.

import { bytesToHex } from '@noble/hashes/utils.js';
import type { Clock, ErrorReason, Remote, TransportError } from '@trunkline/transport-core';
import { randomBytes, reasonError } from '@trunkline/transport-core/backend';
import { EventHub, type Management, spelled } from '@trunkline/transport-core/internal';
import { DialPolicy } from '../address/dial-policy.ts';
import { isDialable, placeOf } from '../address/place.ts';
import {
  incompatibility,
  type ListedProtocol,
  Twins,
  twinOf,
  Visits,
} from '../admission/admission.ts';
import type { PlannerView } from '../dialing/dial-order.ts';
import { DialPlanner } from '../dialing/dial-planner.ts';
import { type PeersConfig, readTarget } from '../options.ts';
import { peersProtocol } from '../protocol.ts';
import type { PeerEvent, PeerInfo, PeerRejection } from '../types.ts';
import { BookKeeper } from './book-keeper.ts';
import { type Peer, PeerTable } from './peer-table.ts';

export class Node {
  /** The options; `PeersDriver.update` replaces them. */
  config: PeersConfig;
  readonly clock: Clock;
  readonly nodeId: string;
  /** True if this transport proves node ids, at least on some connections. */
  readonly proves: boolean;
  readonly management: Management;
  readonly peerTable: PeerTable;
  /** Decides which addresses that other nodes report may be dialed. */
  readonly policy: DialPolicy;
  readonly keeper: BookKeeper;
  readonly planner: DialPlanner;
  readonly twins = new Twins();
  readonly visits: Visits;
  readonly events = new EventHub<PeerEvent>((missed) => ({ type: 'lagged', missed }));
  /** The peers' statuses, decoded. Only `StatusExchange` changes them. */
  readonly statuses = new Map<string, unknown>();
  /**
   * Connections whose hello was read and that are not up yet, each with the node id that the other
   * end proved or asserted ('' if it has none). Only `AdmissionControl` changes them.
   */
  readonly claims = new Map<Remote, string>();
  /**
   * True if the topology is fixed, that is, if this node dials only persistent peers on its own
   * initiative.
   */
  readonly isFixed: boolean;
  /** Schedules an early wake-up of the driver, if it has started, to handle whatever is due. */
  readonly soon: () => void;
  closed = false;

  constructor(config: PeersConfig, management: Management, soon: () => void) {
    const { transport, addresses } = config;
    const { clock, random } = transport;
    this.config = config;
    this.soon = soon;
    this.isFixed =
      config.membership === 'listed' || (config.maxOutbound === 0 && !config.exchange.enabled);
    this.clock = clock;
    this.management = management;
    const { provenId } = management;
    this.proves = provenId !== undefined;
    this.nodeId = config.identity?.nodeId ?? provenId ?? bytesToHex(randomBytes(random, 32));
    if (provenId !== undefined && provenId !== this.nodeId)
      throw new TypeError(
        `createPeers: identity: the transport proves to be ${provenId}, but the identity is ${this.nodeId}; omit it, or give the same identity`,
      );
    this.checkTargets(config.persistent, 'createPeers: persistent');
    for (const [index, seed] of config.seeds.entries())
      readTarget(seed, `createPeers: seeds[${index}]`, management.check);
    this.peerTable = new PeerTable(this.nodeId);
    this.visits = new Visits(config.exchange.interval / 3);
    const { machine } = management;
    this.policy = new DialPolicy(addresses, {
      own: () => [...this.ownAddresses(), ...this.planner.targets.map(({ address }) => address)],
      interfaces: () => machine?.addresses(),
      dials: (address) => management.dials(address),
      looksUp: (config.lookup ?? machine) !== undefined,
      now: () => clock.now(),
    });
    this.keeper = new BookKeeper(this);
    const { initialBackoff: interval, maxBackoff = 120_000, jitter } = config.reconnect;
    this.planner = new DialPlanner({
      random,
      now: clock.now(),
      view: plannerView(this),
      persistent: config.persistent,
      seeds: config.seeds,
      // A seed crawls the network and keeps no peers.
      maxOutbound: config.exchange.seed ? 0 : config.maxOutbound,
      reconnect: { interval, max: Math.max(maxBackoff, interval), jitter },
      perHost: addresses === 'public' ? 1 : undefined,
    });
  }

  now(): number {
    return this.clock.now();
  }

  /** Returns the addresses at which this node can be reached; none if it does not listen. */
  ownAddresses(): string[] {
    const { transport } = this.config;
    try {
      return [...transport.localAddrs(), ...transport.advertiseAddr().split(',')];
    } catch {
      return [];
    }
  }

  /** Marks this node as closed, releases its peers, ends the events and saves the book. */
  close(): void {
    this.closed = true;
    for (const peer of this.peerTable.peers.values()) peer.release();
    this.events.end();
    void this.keeper.close();
  }

  peer(nodeId: string): Peer | undefined {
    return this.peerTable.peers.get(nodeId);
  }

  warn(error: TransportError): void {
    this.events.tell({ type: 'warning', error });
  }

  /** Reports that a connection was rejected, unless its end is a twin that was reported before. */
  rejected(event: Omit<Extract<PeerEvent, { type: 'rejected' }>, 'type' | 'reason'>): void {
    const { direction, error } = event;
    if (!this.twins.isNews(error)) return;
    this.events.tell({ type: 'rejected', reason: rejectionOf(error, direction), ...event });
  }

  /**
   * Returns the first address that a node advertises and that others can dial; if this transport
   * proves ids, returns the first such address at which ids are proven.
   */
  advertisedAddress({ addr }: Remote): string | undefined {
    return firstAddress(addr, (address) => {
      const place = placeOf(address);
      return (
        (place === undefined || isDialable(place, 'any')) &&
        (!this.proves || this.management.proves(address))
      );
    });
  }

  /**
   * Returns the address of a peer, with its scheme: the dialed address, otherwise the address that
   * the peer advertises, otherwise the address in the address book.
   */
  addressOf({ nodeId, main }: Peer): string | undefined {
    const address =
      main.dialed ?? this.advertisedAddress(main.remote) ?? this.keeper.book.get(nodeId)?.address;
    return address === undefined ? undefined : spelled(address);
  }

  /**
   * Returns true if a node may be a peer: with open membership any node, otherwise only a listed
   * node. On a transport that only asserts ids, a node that was listed by its address alone is
   * recognized by the address that it advertises, because its id is not known in advance.
   */
  isWelcome(nodeId: string, remote: Remote, dialed: string | undefined): boolean {
    if (this.config.membership === 'open') return true;
    const { persistent } = this.planner;
    if (this.isExempt(nodeId, persistent.has(nodeId, dialed))) return true;
    const addresses = (remote.addr ?? '').split(',');
    return !this.proves && addresses.some((address) => persistent.hasUnnamed(address));
  }

  /** Returns the reason why a node that has mounted these protocols can't be a peer. */
  incompatibility(protocols: readonly ListedProtocol[]): TransportError | undefined {
    const { transport, require } = this.config;
    return incompatibility(protocols, [transport.protocol, peersProtocol], require);
  }

  /** Returns true if no limit applies to a peer because it is persistent or unconditional. */
  isExempt(nodeId: string, persistent: boolean): boolean {
    return persistent || this.config.unconditional.includes(nodeId);
  }

  /** Closes a connection cleanly: queued messages are flushed first. */
  disconnect(remote: Remote, why: string): void {
    void this.config.transport.disconnect(remote, why).catch(() => {});
  }

  /**
   * Ends the connections of banned nodes, even those that are not up yet and those that drain. A
   * client that is up must have proved its id.
   */
  cutBanned(why = ''): void {
    for (const remote of this.management.remotes()) {
      const asserted = this.peerTable.of(remote)?.nodeId ?? this.claims.get(remote);
      const nodeId = remote.nodeId ?? asserted ?? '';
      if (this.keeper.book.isBanned(nodeId, this.now()))
        this.management.cut(remote, reasonError('denied', `node ${nodeId} was banned${why}`));
    }
  }

  /**
   * Ends the connections of a peer that violated the protocol, and bans it if `ban` is set. An id
   * that is only asserted is not banned, because it may belong to another node.
   */
  penalize(peer: Peer, error: TransportError, ban = false): void {
    this.keeper.trust.bad(peer.nodeId, VIOLATION);
    if (ban && peer.proven) this.keeper.book.ban(peer.nodeId, this.now());
    for (const { remote } of [...peer.links]) this.management.cut(remote, error);
    if (ban) this.cutBanned(); // It may have further connections, which are not up yet or drain.
  }

  /**
   * Checks targets that the user gave. @throws TypeError that names the first wrong target: one
   * that is malformed, that this transport can't dial, or that has no id although membership is
   * 'listed' and the transport proves ids. @param name name of the list; entries are named by their
   * index.
   */
  checkTargets(targets: readonly string[], name: string): void {
    for (const [index, target] of targets.entries()) this.checkTarget(target, `${name}[${index}]`);
  }

  checkTarget(target: string, name: string): void {
    const { nodeId } = readTarget(target, name, this.management.check);
    if (nodeId !== undefined || this.config.membership !== 'listed' || !this.proves) return;
    throw new TypeError(
      `${name}: '${target}' has no node id; with membership 'listed' on a transport that proves ids, write nodeId@address`,
    );
  }

  info(peer: Peer): PeerInfo {
    const { nodeId, proven, instance, persistent, main } = peer;
    const { direction, rtt } = main.remote;
    return {
      nodeId,
      proven,
      addr: this.addressOf(peer),
      direction,
      rtt,
      score: this.keeper.trust.score(nodeId),
      status: this.statuses.get(nodeId),
      persistent,
      instance,
      remote: main.remote,
    };
  }

  /** Returns the connections of a node, beginning with the one in use. */
  links(nodeId: string): readonly Remote[] {
    const peer = this.peer(nodeId);
    if (peer === undefined) return NONE;
    const main = peer.main.remote;
    return peer.links.length === 1
      ? [main]
      : [main, ...peer.links.map((link) => link.remote).filter((remote) => remote !== main)];
  }
}

/**
 * Returns the first address of a list for which `fits` returns true, or undefined. A transport that
 * listens on several addresses advertises them all, separated by commas.
 */
export function firstAddress(
  advertised: string | undefined,
  fits: (address: string) => boolean = () => true,
): string | undefined {
  for (const part of (advertised ?? '').split(',')) {
    const address = part.trim();
    if (address !== '' && fits(address)) return address;
  }
  return undefined;
}

/** Weight of a protocol violation in the trust metric, as a number of late pongs. */
export const VIOLATION = 10;
const NONE: readonly Remote[] = Object.freeze([]);

// Maps errors of connections to the `PeerRejection` that events report.

/**
 * Returns the name of a connection's failure in events: it depends on the reason of the error if
 * BY_REASON contains it, otherwise on the code.
 */
function rejectionOf(error: TransportError, direction: 'in' | 'out'): PeerRejection {
  const { code, reason } = error;
  if (twinOf(error) !== undefined) return 'twin';
  // The other end's `admit` threw an error without a reason. Such an error is sent as 'refused'
  // with its code.
  if (reason === 'refused' && code === 'failed_precondition') return 'incompatible';
  if (reason !== undefined && BY_REASON[reason] !== undefined) return BY_REASON[reason];
  return code === 'failed_precondition'
    ? 'incompatible'
    : code === 'unavailable' && direction === 'out'
      ? 'unreachable'
      : 'failed';
}

const BY_REASON: Partial<Record<ErrorReason, PeerRejection>> = {
  denied: 'denied',
  duplicate: 'duplicate',
  refused: 'filtered',
  wrong_network: 'incompatible',
  wrong_version: 'incompatible',
  wrong_preamble: 'incompatible',
  self: 'self',
  full: 'full',
  identity_mismatch: 'unproven',
  bad_certificate: 'unproven',
  expired_certificate: 'unproven',
};

// The state of a node that its dial planner reads.

/**
 * Returns a view that always shows the present state of the node. Its own id counts as banned, so
 * that the planner never dials it.
 */
function plannerView(node: Node): PlannerView {
  return {
    isConnected: (nodeId) => node.peerTable.peers.has(nodeId),
    isOwn: (address) => node.keeper.book.isOwn(address),
    isBanned: (nodeId, now) => nodeId === node.nodeId || node.keeper.book.isBanned(nodeId, now),
    get outbound() {
      return node.peerTable.count('out');
    },
    get news() {
      return node.keeper.book.news;
    },
    whereabouts: (nodeId) =>
      node.keeper.book.alternative(nodeId) ?? node.keeper.book.get(nodeId)?.address,
    pick: (eligible, now) =>
      node.keeper.book.pick(newBias(node.peerTable.count('out')), now, eligible),
    toTest: (now) => (node.isFixed ? undefined : node.keeper.book.toTest(now)),
  };
}

/**
 * Returns the preference for new addresses, the `bias` of `AddressBook.pick`. It grows with the
 * number of outbound peers, because a well-connected node can afford to try unknown addresses
 * (Tendermint's ensurePeers).
 */
function newBias(outbound: number): number {
  return 10 * Math.min(outbound, 8) + 10;
}

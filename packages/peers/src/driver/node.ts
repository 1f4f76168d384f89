// What the parts of the driver share: this node, who is connected to it, and what it keeps.

import {
  type Clock,
  EventHub,
  type Management,
  type Membership,
  manage,
  type Remote,
  randomBytes,
  spelled,
  type TransportError,
} from '@trunkline/transport-core';
import { Twins } from '../admission/twins.ts';
import { DialPlanner } from '../dialling/dial-planner.ts';
import { type PeersConfig, readTarget } from '../options.ts';
import type { PeerEvent, PeerInfo } from '../types.ts';
import { BookKeeper } from './book-keeper.ts';
import { firstAddress } from './first-address.ts';
import { type Peer, Roster } from './roster.ts';

export class Node {
  readonly config: PeersConfig;
  readonly clock: Clock;
  readonly nodeId: string;
  /** Does this transport prove node ids, on some connections at least? */
  readonly proves: boolean;
  readonly management: Management;
  readonly roster: Roster;
  readonly keeper: BookKeeper;
  readonly planner: DialPlanner;
  readonly twins = new Twins();
  readonly events = new EventHub<PeerEvent>((missed) => ({ type: 'lagged', missed }));
  /** What peers say of themselves, decoded. */
  readonly statuses = new Map<string, unknown>();
  closed = false;
  /** Are listed nodes the only ones that are dialled? */
  readonly isFixed: boolean;
  /** Has something look at what is due, soon. */
  soon: () => void = () => {};

  /** @param membership what the transport asks; its `nodeId` is this node's from now on. */
  constructor(config: PeersConfig, membership: Membership & { nodeId: string }) {
    const { transport, addresses: mode, privateIds } = config;
    const { clock, random } = transport;
    this.config = config;
    this.isFixed = config.membership === 'listed' || (config.maxOutbound === 0 && !config.exchange.enabled);
    this.clock = clock;
    this.management = manage(transport, membership);
    const { provenId } = this.management;
    this.proves = provenId !== undefined;
    this.nodeId = config.identity?.nodeId ?? provenId ?? hex(randomBytes(random, 32));
    if (provenId !== undefined && provenId !== this.nodeId) {
      this.management.release();
      throw new TypeError(`createPeers: identity: the transport proves to be ${provenId}, the identity is ${this.nodeId}; leave it out, or give the same`);
    }
    try {
      this.checkTargets(config.persistent, 'createPeers: persistent');
      for (const [index, seed] of config.seeds.entries()) readTarget(seed, `createPeers: seeds[${index}]`, this.management.check);
    } catch (error) {
      this.management.release();
      throw error;
    }
    membership.nodeId = this.nodeId;
    this.roster = new Roster(this.nodeId);
    this.keeper = new BookKeeper({ store: config.addressBook, clock, random, mode, privateIds, nodeId: this.nodeId, warn: (error) => this.warn(error) });
    const { interval, jitter } = config.reconnect;
    this.planner = new DialPlanner({
      random,
      now: clock.now(),
      persistent: config.persistent,
      seeds: config.seeds,
      // A seed crawls: it keeps no peers.
      maxOutbound: config.exchange.seed ? 0 : config.maxOutbound,
      reconnect: { interval, max: Math.max(config.reconnect.max ?? 120_000, interval), jitter },
      perHost: mode === 'public' ? 1 : undefined,
    });
  }

  get instance(): string {
    return this.management.instance;
  }

  now(): number {
    return this.clock.now();
  }

  peer(nodeId: string): Peer | undefined {
    return this.roster.peers.get(nodeId);
  }

  warn(error: TransportError): void {
    this.events.tell({ type: 'warning', error });
  }

  /** The address where a node says that it can be dialled, of those where its id is proven if this transport proves ids. */
  toldAddress({ addr }: Remote): string | undefined {
    return firstAddress(addr, (address) => !this.proves || this.management.proves(address));
  }

  /** Where a peer is reached: what was dialled, else what the book or the peer itself says. */
  addressOf({ nodeId, main }: Peer): string | undefined {
    const address = main.dialled ?? this.toldAddress(main.remote) ?? this.keeper.book.get(nodeId)?.address;
    return address === undefined ? undefined : spelled(address);
  }

  /** Is the id of this peer as good as this transport's ids are: proven, if it proves any? */
  isCertain({ proven }: { readonly proven: boolean }): boolean {
    return proven || !this.proves;
  }

  /** Is this one of the persistent peers? One whose id is only asserted is known by the address that was dialled, never by its id. */
  isPersistent(peer: { readonly nodeId: string; readonly proven: boolean }, dialled: string | undefined): boolean {
    return this.planner.isPersistent(this.isCertain(peer) ? peer.nodeId : undefined, dialled);
  }

  /**
   * Is this node one of the listed ones? Where ids are only asserted, one that was listed by its address alone is known by where it says that
   * it can be dialled: its id is not known before.
   */
  isListed(peer: { readonly nodeId: string; readonly proven: boolean }, remote: Remote, dialled: string | undefined): boolean {
    if (this.isPersistent(peer, dialled)) return true;
    if (!this.isCertain(peer)) return false;
    if (this.config.unconditional.includes(peer.nodeId)) return true;
    return !this.proves && (remote.addr ?? '').split(',').some((address) => this.planner.isNamedAt(address));
  }

  /**
   * Checks targets that the user gave. @throws TypeError naming the first that is none, that this transport can't dial, or, if only listed
   * nodes are peers and ids are proven, that has no id. @param name of the list; its entries are named by their index.
   */
  checkTargets(targets: readonly string[], name: string): void {
    for (const [index, target] of targets.entries()) this.checkTarget(target, `${name}[${index}]`);
  }

  checkTarget(target: string, name: string): void {
    const { nodeId } = readTarget(target, name, this.management.check);
    if (nodeId !== undefined || this.config.membership !== 'listed' || !this.proves) return;
    throw new TypeError(`${name}: '${target}' has no node id; with membership 'listed' on a transport that proves ids, write nodeId@address`);
  }

  info(peer: Peer): PeerInfo {
    const { nodeId, proven, instance, persistent, main } = peer;
    const { direction, rtt } = main.remote;
    const score = this.keeper.trust.score(nodeId, this.now());
    const status = this.statuses.get(nodeId);
    return { nodeId, proven, addr: this.addressOf(peer), direction, rtt, score, status, persistent, instance, remote: main.remote };
  }

  /** The live connections of a node, the one in use first. */
  links(nodeId: string): readonly Remote[] {
    const peer = this.peer(nodeId);
    if (peer === undefined) return NONE;
    const main = peer.main.remote;
    return peer.links.length === 1 ? [main] : [main, ...peer.links.map((link) => link.remote).filter((remote) => remote !== main)];
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const NONE: readonly Remote[] = Object.freeze([]);

// Exchanges statuses with peers: runs StatusSync over the wire protocol, limits the pulls, and
// decodes the statuses that peers publish.

import { type Codec, type Remote, TransportError } from '@trunkline/transport-core';
import { decodeStatus, encodeStatus, LONGEST_STATUS } from '../protocol.ts';
import { PullRation } from '../status/pull-ration.ts';
import { StatusSync } from '../status/status-sync.ts';
import type { Node } from './node.ts';
import type { Peer } from './peer-table.ts';
import type { PeersChannel } from './peers-channel.ts';

export class StatusExchange {
  readonly #node: Node;
  readonly #channel: PeersChannel;
  readonly #sync: StatusSync;
  /** The rations of connected peers whose status was pulled. */
  readonly #rations = new Map<string, PullRation>();

  constructor(node: Node, channel: PeersChannel) {
    this.#node = node;
    this.#channel = channel;
    this.#sync = new StatusSync({
      random: node.config.transport.random,
      now: node.now(),
      interval: node.config.statusInterval,
    });
  }

  get wakeAt(): number {
    return this.#sync.due;
  }

  wake(now: number): void {
    const beat = this.#sync.beat(now);
    if (beat === undefined) return;
    for (const peer of this.#node.peerTable.peers.values()) this.#tell(peer, beat.seq);
  }

  /** Sets this node's status; undefined clears it. */
  set(value: Uint8Array | undefined): void {
    this.#sync.set(value, this.#node.now());
    this.#node.soon();
  }

  connected(peer: Peer, now: number): void {
    this.#sync.connected(peer.nodeId, peer.instance, now);
    if (this.#sync.seq > 0) this.#tell(peer, this.#sync.seq);
  }

  gone(nodeId: string): void {
    this.#rations.delete(nodeId);
    this.#sync.gone(nodeId);
    this.#node.statuses.delete(nodeId);
  }

  /** Returns the answer to a pull. */
  answer(): Uint8Array {
    return encodeStatus(this.#sync.seq, this.#sync.own);
  }

  /** Handles the number of a peer's status. */
  heard(seq: number, from: Remote): void {
    const node = this.#node;
    const peer = node.peerTable.of(from);
    if (peer === undefined || node.config.status === undefined) return;
    if (this.#sync.heard(peer.nodeId, peer.instance, seq, node.now())) void this.#pull(peer);
  }

  #tell(peer: Peer, seq: number): void {
    this.#channel.say(peer.main.remote, 'status', { seq });
  }

  async #pull({ nodeId, instance, main }: Peer): Promise<void> {
    const node = this.#node;
    let ration = this.#rations.get(nodeId);
    if (ration === undefined) this.#rations.set(nodeId, (ration = new PullRation(node.now())));
    // The peer repeats its number every 2 s, so the pull is tried again later.
    if (!ration.take(node.now())) return this.#sync.pullFailed(nodeId, instance, node.now());
    try {
      const answer = decodeStatus(await this.#channel.mount.send(main.remote, 'pull', EMPTY));
      const now = node.now();
      if (answer === undefined || (answer.value?.length ?? 0) > LONGEST_STATUS)
        return this.#sync.pullFailed(nodeId, instance, now);
      const { seq, value } = answer;
      const { changed, again } = this.#sync.pulled(nodeId, instance, seq, value, now);
      const peer = node.peer(nodeId);
      if (changed && !this.#changed(nodeId)) ration.spoiled(now);
      if (again && peer !== undefined) void this.#pull(peer);
    } catch {
      this.#sync.pullFailed(nodeId, instance, node.now());
    }
  }

  /** Decodes the new status of a peer and reports it. Returns false if it can't be decoded. */
  #changed(nodeId: string): boolean {
    const { config, events, keeper, statuses } = this.#node;
    const told = this.#sync.of(nodeId);
    const codec: Codec<unknown> | undefined = config.status;
    if (told === undefined || codec === undefined) statuses.delete(nodeId);
    else {
      try {
        statuses.set(nodeId, codec.decode(told.value));
      } catch (error) {
        keeper.trust.bad(nodeId, this.#node.now());
        const text = error instanceof Error ? error.message : String(error);
        // The previous status is dropped, because it is not the peer's status any more.
        if (statuses.delete(nodeId)) events.tell({ type: 'status', nodeId, status: undefined });
        this.#node.warn(
          new TransportError(
            'invalid_argument',
            `The status of node ${nodeId} can't be read: ${text}`,
            { target: nodeId, cause: error },
          ),
        );
        return false;
      }
    }
    events.tell({ type: 'status', nodeId, status: statuses.get(nodeId) });
    return true;
  }
}

const EMPTY: Uint8Array = new Uint8Array();

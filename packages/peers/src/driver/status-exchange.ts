// Exchanges statuses with peers: runs StatusSync over the wire protocol, limits the pulls, and
// decodes the statuses that peers publish.

import { type Codec, type Remote, TransportError } from '@trunkline/transport-core';
import { decodeStatus, encodeStatus, LONGEST_STATUS, type PeersChannel } from '../protocol.ts';
import { PullRation, type StatusInput, StatusSync } from '../status/status-sync.ts';
import { PeerLimits } from '../machine.ts';
import type { Node } from './node.ts';
import type { Peer } from './peer-table.ts';

export class StatusExchange {
  readonly #node: Node;
  readonly #channel: PeersChannel;
  readonly #sync: StatusSync;
  readonly #rations = new PeerLimits(() => new PullRation());

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
    return this.#sync.wakeAt;
  }

  wake(now: number): void {
    this.#handle(now, WAKE);
  }

  /** Sets this node's status; undefined clears it. */
  set(value: Uint8Array | undefined): void {
    this.#handle(this.#node.now(), { type: 'set', value });
    this.#node.soon();
  }

  connected({ nodeId, instance }: Peer, now: number): void {
    this.#handle(now, { type: 'connected', nodeId, instance });
  }

  gone({ nodeId, proven }: Pick<Peer, 'nodeId' | 'proven'>, now: number): void {
    this.#rations.gone(nodeId, proven, now);
    this.#handle(now, { type: 'gone', nodeId });
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
    const { nodeId, instance } = peer;
    this.#handle(node.now(), { type: 'heard', nodeId, instance, seq });
  }

  /** Gives the machine an input and carries out its outputs. */
  #handle(now: number, input: StatusInput): void {
    const { peerTable } = this.#node;
    this.#sync.handle(now, input);
    for (let output = this.#sync.poll(); output !== undefined; output = this.#sync.poll()) {
      if (output.type === 'broadcast') {
        for (const peer of peerTable.peers.values()) this.#tell(peer, output.seq);
        continue;
      }
      const { nodeId } = output;
      const peer = peerTable.peers.get(nodeId);
      if (output.type === 'changed') {
        if (!this.#changed(nodeId)) this.#rations.of(nodeId, now).spoiled(now);
      } else if (peer !== undefined) {
        if (output.type === 'tell') this.#tell(peer, output.seq);
        else void this.#pull(peer);
      }
    }
  }

  #tell(peer: Peer, seq: number): void {
    this.#channel.say(peer.main.remote, 'status', { seq });
  }

  async #pull({ nodeId, instance, main }: Peer): Promise<void> {
    const node = this.#node;
    const ration = this.#rations.of(nodeId, node.now());
    const failed = { type: 'pull_failed', nodeId, instance } as const;
    // The peer repeats its number every 2 s, so the pull is tried again later.
    if (!ration.take(node.now())) return this.#handle(node.now(), failed);
    try {
      const answer = decodeStatus(await this.#channel.mount.send(main.remote, 'pull', EMPTY));
      if (answer === undefined || (answer.value?.length ?? 0) > LONGEST_STATUS)
        return this.#handle(node.now(), failed);
      const { seq, value } = answer;
      this.#handle(node.now(), { type: 'pulled', nodeId, instance, seq, value });
    } catch {
      this.#handle(node.now(), failed);
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
        // The previous status is dropped, because it is no longer the peer's status.
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

const WAKE = { type: 'wake' } as const;
const EMPTY: Uint8Array = new Uint8Array();

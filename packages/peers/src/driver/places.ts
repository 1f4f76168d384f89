// Decides which connected peers make room for another peer when all places are taken.

import type { Node } from './node.ts';
import { isOrdinary, type Peer } from './peer-table.ts';

export class Places {
  readonly #node: Node;

  constructor(node: Node) {
    this.#node = node;
  }

  /**
   * Returns the peers that make room for the next node: first those whose score is 0. Apart from
   * them, the last tenth of the inbound places is for short stays. Without them, a network whose
   * first nodes are full would refuse newcomers that know no other nodes and only need to learn
   * some addresses.
   */
  yielding(): Peer[] {
    const { peerTable, config } = this.#node;
    const lasting = config.maxInbound - Math.floor(config.maxInbound / 10);
    if (peerTable.count('in') <= Math.min(lasting, config.maxInbound - 1)) return [];
    const since = this.#node.now() - SHORT_STAY;
    const peers = this.#ordinary('in');
    const distrusted = peers.filter(({ nodeId }) => this.#isDistrusted(nodeId));
    const short = peers.slice(lasting).filter((peer) => peer.since <= since);
    return [...new Set([...distrusted, ...short])];
  }

  /**
   * If there is one ordinary outbound peer too many, disconnects the youngest of the others. A peer
   * whose score is 0 is disconnected first, and peers that were lost and came back last.
   */
  makeRoom(newcomer: Peer): void {
    if (this.#node.peerTable.count('out') <= this.#node.config.maxOutbound) return;
    const others = this.#ordinary('out').filter((peer) => peer !== newcomer);
    const going =
      others.findLast(({ nodeId }) => this.#isDistrusted(nodeId)) ??
      others.findLast(({ returned }) => !returned) ??
      others.at(-1);
    if (going !== undefined) this.part(going);
  }

  /** Disconnects the inbound peers that connected last, if there are more than `maxInbound`. */
  trim(): void {
    const { maxInbound } = this.#node.config;
    for (const peer of this.#ordinary('in').slice(maxInbound))
      this.part(peer, `the other end now has at most ${maxInbound} peers that dialed it`);
  }

  /** Disconnects a peer, which from then on does not count against any limit. */
  part(peer: Peer, why = 'another peer replaced it'): void {
    peer.leaving = true;
    this.#node.peerTable.recount();
    for (const { remote } of peer.links) this.#node.disconnect(remote, why);
  }

  #isDistrusted(nodeId: string): boolean {
    return this.#node.keeper.trust.score(nodeId, this.#node.now()) === 0;
  }

  /** Returns the peers that count against a limit, in the order in which they connected. */
  #ordinary(direction: 'in' | 'out'): Peer[] {
    return [...this.#node.peerTable.peers.values()].filter(
      (peer) => isOrdinary(peer) && peer.main.remote.direction === direction,
    );
  }
}

/** Duration of a short stay in milliseconds; it is long enough to learn addresses. */
const SHORT_STAY = 10_000;

// The number of this node's life on a topic, and the nodes that were restarted since they were last
// connected, because the lives of theirs that are known here are over. Owned by TopicSession;
// driver/members.ts calls `restarted`, and driver/lives.ts gives the numbers.

import { dropOldest } from '@trunkline/peers/internal';
import type { TopicNode } from './topic-context.ts';

export class TopicLife {
  /**
   * The number of this node's life on the topic. A new life begins when the topic is joined again,
   * with another session, or by `raise`. −1 until gossip has started. Only this class changes it.
   */
  epoch = -1;
  readonly #node: TopicNode;
  readonly #newest: (nodeId: string) => number;
  /**
   * The restarted nodes by id, the oldest first, each with the newest life that was known before
   * its restart. `hasBegun` is true once a message of the new life has come directly from it.
   */
  readonly #restarted = new Map<string, { readonly life: number; hasBegun: boolean }>();
  /** Time at which this life began, in milliseconds of this node's clock. */
  #joinedAt = 0;
  /** Number of times that the life was raised because a peer remembered a later life. */
  #raised = 0;
  /** Number of reports that were not believed. */
  #disbelieved = 0;

  /**
   * @param newest returns the number of the newest remembered life of a node; −1 if there is none.
   */
  constructor(node: TopicNode, newest: (nodeId: string) => number) {
    this.#node = node;
    this.#newest = newest;
  }

  /** Begins the first life. Called once, when the session joins. */
  begin(): void {
    this.epoch = this.#node.epoch();
    this.#joinedAt = this.#node.clock.now();
  }

  /**
   * Called when a peer remembers a life of this node from before a restart. If that life is not
   * older than the present life, a later life begins, so that peers don't regard this node's
   * messages as old. Returns undefined if the report is of an older life, or one of too many; the
   * caller then ignores it.
   */
  raise(life: number, from: string): 'raised' | 'disbelieved' | undefined {
    if (life < this.epoch || this.#raised >= RAISES) return undefined;
    const later = this.#isLate(life) ? undefined : this.#node.outlived(life, from);
    if (later === undefined) return ++this.#disbelieved > RAISES ? undefined : 'disbelieved';
    this.epoch = later;
    this.#raised++;
    return 'raised';
  }

  /**
   * Returns true if the reported life is far ahead of the clock, and the topic was joined so long
   * ago that no honest peer can still remember that life. Messages of such a life would be refused
   * by peers that know the present one.
   */
  #isLate(life: number): boolean {
    const { clock } = this.#node;
    return life > this.#node.latestLife() && clock.now() - this.#joinedAt >= REMEMBERED;
  }

  // Restarted nodes.

  /** Called when a node has connected that was restarted since it was last connected. */
  restarted(nodeId: string): void {
    const life = this.#newest(nodeId);
    this.#restarted.delete(nodeId);
    if (life < 0) return;
    this.#restarted.set(nodeId, { life, hasBegun: false });
    dropOldest(this.#restarted, MOST);
  }

  /**
   * Returns the last life of a node before its restart, as long as that is the newest one known.
   * Returns undefined if there is none, or if another life is known. In the latter case, forgets
   * the node once its new life has begun.
   */
  lifeOf(nodeId: string): number | undefined {
    const restarted = this.#restarted.size === 0 ? undefined : this.#restarted.get(nodeId);
    if (restarted === undefined) return undefined;
    if (this.#newest(nodeId) === restarted.life) return restarted.life;
    if (restarted.hasBegun) this.#restarted.delete(nodeId);
    return undefined;
  }

  /** Returns true if the node was restarted, and its new life has not begun yet. */
  isRestarted(nodeId: string): boolean {
    return this.#restarted.size > 0 && this.#restarted.get(nodeId)?.hasBegun === false;
  }

  /**
   * Records that a message of the new life has come directly from a node that `isRestarted`. Throws
   * for any other.
   */
  began(nodeId: string): void {
    this.#restarted.get(nodeId)!.hasBegun = true;
  }
}

/** Maximum number of restarted nodes that are remembered. */
const MOST = 4_096;

/**
 * Milliseconds for which peers remember a silent publisher by default: `originTime` of
 * plumtree/options.ts, and `originRetention` of overlay/full-mesh.ts.
 */
const REMEMBERED = 600_000;
/**
 * Maximum number of times that a life may be raised, and of disbelieved reports that are told to
 * the user. A lying peer can cause this many raises, and each may lose messages in flight.
 */
const RAISES = 8;

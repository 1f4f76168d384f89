// The number of this node's life on a topic, and the lives of other nodes that were restarted.

import type { RestartedNodes } from './restarted-nodes.ts';
import type { TopicNode } from './topic-node.ts';

export class TopicLife {
  readonly restartedNodes: RestartedNodes;
  readonly #node: TopicNode;
  #epoch = -1;
  /** Time at which this life began, in milliseconds of this node's clock. */
  #joinedAt = 0;
  /** Number of times that the life was raised because a peer remembered a later life. */
  #raised = 0;

  constructor(node: TopicNode, restartedNodes: RestartedNodes) {
    this.#node = node;
    this.restartedNodes = restartedNodes;
  }

  /**
   * The number of this node's life on the topic. A new life begins when the topic is joined again.
   * −1 until gossip has started.
   */
  get epoch(): number {
    return this.#epoch;
  }

  begin(): void {
    this.#epoch = this.#node.epoch();
    this.#joinedAt = this.#node.clock.now();
  }

  /**
   * Called when a peer remembers a life of this node from before a restart. If that life is not
   * older than the present life, a later life begins, so that peers don't regard this node's
   * messages as old. Returns false if the report has no effect.
   */
  raise(life: number, from: string): boolean {
    if (life < this.#epoch || this.#raised >= RAISES || this.#isLate(life)) return false;
    this.#epoch = this.#node.outlived(life, from) ?? this.#epoch;
    this.#raised++;
    return true;
  }

  /**
   * Returns true if the reported life is far ahead of the clock, and the topic was joined so long
   * ago that no honest peer can still remember that life. Unsigned messages of such a life would be
   * refused by peers that know the present one.
   */
  #isLate(life: number): boolean {
    const { clock, signatures } = this.#node;
    return (
      !signatures.signs &&
      life > this.#node.latestLife() &&
      clock.now() - this.#joinedAt >= REMEMBERED
    );
  }
}

/** Milliseconds for which peers remember a silent publisher. */
const REMEMBERED = 600_000;
/**
 * Maximum number of times that a life may be raised. A lying peer can cause this many raises, and
 * each of them may lose messages in flight.
 */
const RAISES = 8;

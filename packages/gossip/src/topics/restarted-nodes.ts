// Remembers nodes that were restarted since they were last connected, because the lives of theirs
// that are known here are over.

interface RestartedNode {
  /** The newest life that was known before the restart. */
  readonly life: number;
  /** True once a message of the new life has come directly from the node. */
  hasBegun: boolean;
}

/** The restarted nodes of one topic; at most 4,096 are remembered. */
export class RestartedNodes {
  readonly #newest: (nodeId: string) => number;
  /** The restarted nodes by id, the oldest first. */
  readonly #nodes = new Map<string, RestartedNode>();

  /**
   * @param newest returns the number of the newest remembered life of a node; −1 if there is none.
   */
  constructor(newest: (nodeId: string) => number) {
    this.#newest = newest;
  }

  get isAny(): boolean {
    return this.#nodes.size > 0;
  }

  add(nodeId: string): void {
    const life = this.#newest(nodeId);
    this.#nodes.delete(nodeId);
    if (life < 0) return;
    this.#nodes.set(nodeId, { life, hasBegun: false });
    if (this.#nodes.size <= MOST) return;
    for (const oldest of this.#nodes.keys()) {
      this.#nodes.delete(oldest);
      break;
    }
  }

  /**
   * Returns the last life of a node before its restart, as long as no later life is known. Returns
   * undefined if there is none, or if the node is known to have a later life.
   */
  lifeOf(nodeId: string): number | undefined {
    const restarted = this.#nodes.size === 0 ? undefined : this.#nodes.get(nodeId);
    if (restarted === undefined) return undefined;
    if (this.#newest(nodeId) === restarted.life) return restarted.life;
    if (restarted.hasBegun) this.#nodes.delete(nodeId);
    return undefined;
  }

  /**
   * Records that a message of the new life has come directly from the node. Returns false if it is
   * not the first such message.
   */
  begin(nodeId: string): boolean {
    const restarted = this.#nodes.get(nodeId);
    if (restarted === undefined || restarted.hasBegun) return false;
    restarted.hasBegun = true;
    return true;
  }
}

/** Maximum number of restarted nodes that are remembered. */
const MOST = 4_096;

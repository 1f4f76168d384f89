// Nodes that were started anew since they were last connected: the lives that are remembered of them are over.

interface Rebirth {
  /** The newest life that was heard of before. */
  readonly life: number;
  /** A message of the new one has come over its own connection. */
  hasBegun: boolean;
}

export class Rebirths {
  readonly #newest: (nodeId: string) => number;
  /** The oldest first. */
  readonly #nodes = new Map<string, Rebirth>();

  /** @param newest the number of the newest life of a node that is remembered; -1: none is. */
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

  /** The life that is over, as long as none is heard of after it; undefined: there is none, or the node is known to be past it. */
  lifeOf(nodeId: string): number | undefined {
    const rebirth = this.#nodes.size === 0 ? undefined : this.#nodes.get(nodeId);
    if (rebirth === undefined) return undefined;
    if (this.#newest(nodeId) === rebirth.life) return rebirth.life;
    if (rebirth.hasBegun) this.#nodes.delete(nodeId);
    return undefined;
  }

  /** The first message of the new life has come over the node's own connection. False: it is not the first. */
  begin(nodeId: string): boolean {
    const rebirth = this.#nodes.get(nodeId);
    if (rebirth === undefined || rebirth.hasBegun) return false;
    rebirth.hasBegun = true;
    return true;
  }
}

/** Nodes that are remembered so. */
const MOST = 4_096;

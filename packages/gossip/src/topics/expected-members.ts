// Nodes that may turn out to be on a topic shortly after the topic was opened here. Publishers wait
// for them for a limited time.

/** The waits for newcomers of one topic. */
export class ExpectedMembers {
  /** Time until which the topic counts as new. */
  #until = Number.POSITIVE_INFINITY;
  readonly #waiting = new Set<{
    readonly nodeId: string | undefined;
    readonly resolve: (isHere: boolean) => void;
  }>();

  /** Called when the topic has been opened. */
  begin(now: number): void {
    this.#until = now + NEW;
  }

  get until(): number {
    return this.#until;
  }

  /**
   * Resolves to true if that node, or any node if no id is given, turns out to be on the topic
   * while the topic is new.
   */
  wait(nodeId: string | undefined, now: number): Promise<boolean> {
    if (now >= this.#until) return Promise.resolve(false);
    return new Promise((resolve) => this.#waiting.add({ nodeId, resolve }));
  }

  came(nodeId: string): void {
    for (const waiting of this.#waiting) {
      if (waiting.nodeId !== undefined && waiting.nodeId !== nodeId) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(true);
    }
  }

  get due(): number {
    return this.#waiting.size === 0 ? Number.POSITIVE_INFINITY : this.#until;
  }

  wake(now: number): void {
    if (now >= this.#until) this.end();
  }

  /** Ends all waits, because no other node is expected. */
  end(): void {
    for (const { resolve } of this.#waiting) resolve(false);
    this.#waiting.clear();
    this.#until = Number.NEGATIVE_INFINITY;
  }
}

/** Milliseconds for which a topic is new. */
export const NEW = 1_000;

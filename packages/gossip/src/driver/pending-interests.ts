// Tracks peers that have just connected and have not yet announced their topics. Callers can wait
// for the announcement for a limited time.

/** P is the type of a peer, which is the same object for as long as the peer is connected. */
export class PendingInterests<P extends { readonly nodeId: string }> {
  readonly #known: (peer: P) => void;
  /** Peers whose topics are not known yet, the oldest first. */
  readonly #unknown = new Map<P, { readonly patience: number; readonly askers: (() => void)[] }>();
  /** Ids of peers that once took too long. */
  readonly #slow = new Set<string>();

  /**
   * @param known is called when the topics of a peer are known, and when waiting for them is given
   *   up
   */
  constructor(known: (peer: P) => void) {
    this.#known = known;
  }

  /**
   * Adds a peer that has just connected. A peer that once took too long is not waited for again.
   */
  met(peer: P, now: number): void {
    if (!this.#slow.has(peer.nodeId))
      this.#unknown.set(peer, { patience: now + PATIENCE, askers: [] });
  }

  /** Removes a peer that has announced its topics or has disconnected. */
  made(peer: P): void {
    const unknown = this.#unknown.get(peer);
    this.#unknown.delete(peer);
    this.#known(peer);
    for (const resolve of unknown?.askers ?? []) resolve();
  }

  isMade(peer: P): boolean {
    return !this.#unknown.has(peer);
  }

  /** Resolves when it is known which topics the peer is on, or when it is no longer waited for. */
  async wait(peer: P): Promise<void> {
    const unknown = this.#unknown.get(peer);
    if (unknown !== undefined) await new Promise<void>((resolve) => unknown.askers.push(resolve));
  }

  /** Returns the ids of peers whose topics are not known yet. */
  pending(): readonly string[] {
    if (this.#unknown.size === 0) return NOBODY;
    return Array.from(this.#unknown.keys(), ({ nodeId }) => nodeId);
  }

  get due(): number {
    for (const { patience } of this.#unknown.values()) return patience;
    return Number.POSITIVE_INFINITY;
  }

  /** Stops waiting for peers that took too long. */
  wake(now: number): void {
    for (const [peer, { patience }] of this.#unknown) {
      if (now < patience) return;
      this.#slow.add(peer.nodeId);
      if (this.#slow.size > SLOW) this.#slow.clear();
      this.made(peer);
    }
  }
}

const NOBODY: readonly string[] = [];
/**
 * Time limit, in milliseconds, for a new peer to report its topics while a caller waits for them.
 */
const PATIENCE = 1_000;
/** Maximum number of nodes remembered as slow. */
const SLOW = 1_024;

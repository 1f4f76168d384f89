// Peers that have just come and have not said yet which topics they are on: that is waited for, but not for long.

/** P: the peer, one object as long as it is connected. */
export class Acquaintance<P extends { readonly nodeId: string }> {
  readonly #known: (peer: P) => void;
  /** Peers of whom it is not known yet, the oldest first. */
  readonly #unknown = new Map<P, { readonly patience: number; readonly askers: (() => void)[] }>();
  /** Peers that did not say it in time once. */
  readonly #slow = new Set<string>();

  /** @param known is told each time that a peer was `made` acquaintance with, or given up. */
  constructor(known: (peer: P) => void) {
    this.#known = known;
  }

  /** A peer has come. Who kept others waiting once is not waited for again. */
  met(peer: P, now: number): void {
    if (!this.#slow.has(peer.nodeId)) this.#unknown.set(peer, { patience: now + PATIENCE, askers: [] });
  }

  /** It has said which topics it is on, or it is gone. */
  made(peer: P): void {
    const unknown = this.#unknown.get(peer);
    this.#unknown.delete(peer);
    this.#known(peer);
    for (const resolve of unknown?.askers ?? []) resolve();
  }

  isMade(peer: P): boolean {
    return !this.#unknown.has(peer);
  }

  /** Resolves when it is known which topics the peer is on, or it is not waited for any more. */
  async wait(peer: P): Promise<void> {
    const unknown = this.#unknown.get(peer);
    if (unknown !== undefined) await new Promise<void>((resolve) => unknown.askers.push(resolve));
  }

  /** Those of whom it is not known yet. */
  pending(): readonly string[] {
    if (this.#unknown.size === 0) return NOBODY;
    return Array.from(this.#unknown.keys(), ({ nodeId }) => nodeId);
  }

  get due(): number {
    for (const { patience } of this.#unknown.values()) return patience;
    return Number.POSITIVE_INFINITY;
  }

  /** Gives up those that took too long. */
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
/** Milliseconds that who has just come has to say which topics it is on, where somebody waits for it. */
const PATIENCE = 1_000;
/** Nodes that are remembered as slow. */
const SLOW = 1_024;

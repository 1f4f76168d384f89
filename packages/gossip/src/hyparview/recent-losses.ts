// Peers that were lost recently. They return to the views only if they ask for a link themselves,
// not if others name them.

export class RecentLosses {
  readonly #window: number;
  readonly #until = new Map<string, number>();

  constructor(window: number) {
    this.#window = window;
  }

  has(peer: string, now: number): boolean {
    const until = this.#until.get(peer);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#until.delete(peer);
    return false;
  }

  /** Returns the number of peers lost within the window. */
  count(now: number): number {
    for (const [peer, until] of this.#until) {
      if (until > now) break;
      this.#until.delete(peer);
    }
    return this.#until.size;
  }

  /** Adds a peer. At most 64 are remembered; beyond that the oldest is forgotten. */
  add(peer: string, now: number): void {
    this.#until.delete(peer);
    this.#until.set(peer, now + this.#window);
    if (this.#until.size > MOST) this.#until.delete(this.#until.keys().next().value!);
  }

  delete(peer: string): void {
    this.#until.delete(peer);
  }
}

const MOST = 64;

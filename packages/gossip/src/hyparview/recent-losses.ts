// Peers that were just lost: nobody's word brings them back, but their own.

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

  /** How many there are. */
  count(now: number): number {
    for (const [peer, until] of this.#until) {
      if (until > now) break;
      this.#until.delete(peer);
    }
    return this.#until.size;
  }

  /** At most 64, the oldest is forgotten. */
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

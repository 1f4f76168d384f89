// Limits how much of a table of origins one peer can fill. Because a peer may name any origin, it
// could otherwise fill the table and leave no room for other peers.

export interface IntroducersOptions {
  /**
   * The capacity of the table. One peer may introduce half of this number, and all peers together
   * three quarters; the rest is for publishers that are connected themselves.
   */
  readonly origins: number;
  /**
   * Number of new origins in one `period` that an honest peer never reaches, because it passes on
   * at most three quarters of its own table.
   */
  readonly flood: number;
  /** Length of the period in milliseconds. */
  readonly period: number;
}

/** The origins that one peer has introduced. */
interface Account {
  /** The number of its origins in the table now. */
  held: number;
  /**
   * Time at which the peer's period began, and number of origins that the table has taken from the
   * peer since then.
   */
  since: number;
  taken: number;
  /** The origins refused since then. */
  refused: Set<string> | undefined;
}

/**
 * Its memory is bounded by the origins of the table, plus `FLOODERS` times `flood` names of refused
 * origins.
 */
export class Introducers {
  readonly #options: IntroducersOptions;
  readonly #accounts = new Map<string, Account>();
  #held = 0;
  /** The number of accounts with refused origins. */
  #flooders = 0;

  constructor(options: IntroducersOptions) {
    this.#options = options;
  }

  /** Returns true if this peer may introduce one more origin. */
  mayBring(peer: string): boolean {
    const { origins } = this.#options;
    return (
      this.#held < Math.max(1, Math.floor(0.75 * origins)) &&
      (this.#accounts.get(peer)?.held ?? 0) < Math.max(1, Math.floor(0.5 * origins))
    );
  }

  /**
   * The peers that have reached the limit of origins; the silent origins of these peers should be
   * forgotten early.
   */
  get full(): ReadonlySet<string> {
    return new Set([...this.#accounts.keys()].filter((peer) => !this.mayBring(peer)));
  }

  /** Records that an origin from this peer is now in the table. */
  took(peer: string, now: number): void {
    const account = this.#of(peer, now);
    account.held++;
    account.taken++;
    this.#held++;
  }

  /** Records that an origin from this peer is no longer in the table. */
  forgot(peer: string): void {
    const account = this.#accounts.get(peer);
    if (account === undefined) return;
    account.held--;
    this.#held--;
    if (account.held === 0 && account.refused === undefined) this.#accounts.delete(peer);
  }

  /**
   * Records that an origin from this peer was refused. Returns true if the peer has recently
   * introduced more origins than an honest peer does, and then restarts the count of this peer.
   */
  refused(peer: string, origin: string, now: number): boolean {
    if (this.#flooders >= FLOODERS && this.#accounts.get(peer)?.refused === undefined) return false;
    const account = this.#of(peer, now);
    if (account.refused === undefined) this.#flooders++;
    account.refused ??= new Set();
    account.refused.add(origin);
    if (account.taken + account.refused.size < this.#options.flood) return false;
    this.#renew(account, now);
    if (account.held === 0) this.#accounts.delete(peer);
    return true;
  }

  /** The number of peers remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Forgets counts that are older than a period. */
  expire(now: number): void {
    if (this.#flooders === 0) return;
    for (const [peer, account] of this.#accounts) {
      if (account.refused === undefined || now - account.since < this.#options.period) continue;
      this.#renew(account, now);
      if (account.held === 0) this.#accounts.delete(peer);
    }
  }

  /** Time at which `expire` has something to forget; Infinity if never. */
  get due(): number {
    if (this.#flooders === 0) return Number.POSITIVE_INFINITY;
    let due = Number.POSITIVE_INFINITY;
    for (const { refused, since } of this.#accounts.values())
      if (refused !== undefined) due = Math.min(due, since + this.#options.period);
    return due;
  }

  #of(peer: string, now: number): Account {
    let account = this.#accounts.get(peer);
    if (account === undefined)
      this.#accounts.set(peer, (account = { held: 0, since: now, taken: 0, refused: undefined }));
    else if (now - account.since >= this.#options.period) this.#renew(account, now);
    return account;
  }

  #renew(account: Account, now: number): void {
    if (account.refused !== undefined) this.#flooders--;
    account.refused = undefined;
    account.taken = 0;
    account.since = now;
  }
}

/** Maximum number of peers whose refused origins are counted at the same time. */
const FLOODERS = 16;

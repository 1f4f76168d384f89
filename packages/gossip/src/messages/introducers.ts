// Bounds what one peer can fill of a table of origins: whoever may name any origin could otherwise
// take the room of all others.

export interface IntroducersOptions {
  /**
   * Origins that the table holds. One peer may bring half of them, all peers together three
   * quarters; the rest is for publishers that are connected.
   */
  readonly origins: number;
  /**
   * New origins in a `period` that no honest peer brings: it passes on three quarters of its own
   * table at most.
   */
  readonly flood: number;
  /** Milliseconds. */
  readonly period: number;
}

/** What one peer has brought. */
interface Account {
  /** Origins of the table. */
  held: number;
  /** When its period began, and the origins that were taken since. */
  since: number;
  taken: number;
  /** Origins that were refused since. */
  refused: Set<string> | undefined;
}

/**
 * Its memory is bounded by the origins of the table, and by `FLOODERS` times `flood` names of
 * refused ones.
 */
export class Introducers {
  readonly #options: IntroducersOptions;
  readonly #accounts = new Map<string, Account>();
  #held = 0;
  /** Accounts with refused origins. */
  #flooders = 0;

  constructor(options: IntroducersOptions) {
    this.#options = options;
  }

  /** Is there room for one more origin that this peer brings? */
  mayBring(peer: string): boolean {
    const { origins } = this.#options;
    return this.#held < Math.max(1, Math.floor(0.75 * origins)) && (this.#accounts.get(peer)?.held ?? 0) < Math.max(1, Math.floor(0.5 * origins));
  }

  /** The peers that have brought as many as they may: their silent origins had better go early. */
  get full(): ReadonlySet<string> {
    return new Set([...this.#accounts.keys()].filter((peer) => !this.mayBring(peer)));
  }

  /** It brought one, which is in the table now. */
  took(peer: string, now: number): void {
    const account = this.#of(peer, now);
    account.held++;
    account.taken++;
    this.#held++;
  }

  /** One that it brought is no longer in the table. */
  forgot(peer: string): void {
    const account = this.#accounts.get(peer);
    if (account === undefined) return;
    account.held--;
    this.#held--;
    if (account.held === 0 && account.refused === undefined) this.#accounts.delete(peer);
  }

  /**
   * One that it brought was refused. Returns true if it has brought more of late than an honest
   * peer does: once, then it is counted anew.
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

  /** Peers that it remembers. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Forgets what is older than a period. */
  expire(now: number): void {
    if (this.#flooders === 0) return;
    for (const [peer, account] of this.#accounts) {
      if (account.refused === undefined || now - account.since < this.#options.period) continue;
      this.#renew(account, now);
      if (account.held === 0) this.#accounts.delete(peer);
    }
  }

  /** When `expire` has something to forget; Infinity: never. */
  get due(): number {
    if (this.#flooders === 0) return Number.POSITIVE_INFINITY;
    let due = Number.POSITIVE_INFINITY;
    for (const { refused, since } of this.#accounts.values()) if (refused !== undefined) due = Math.min(due, since + this.#options.period);
    return due;
  }

  #of(peer: string, now: number): Account {
    let account = this.#accounts.get(peer);
    if (account === undefined) this.#accounts.set(peer, (account = { held: 0, since: now, taken: 0, refused: undefined }));
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

/** Peers at most whose refused origins are counted at the same time. */
const FLOODERS = 16;

// What goes into the address book and comes out of it.

/** A node and where it is reached. */
export interface BookAddress {
  /** 64 lower-case hex digits. */
  readonly nodeId: string;
  /** As `placeOf` reads it; what comes out of the book is in its one spelling. */
  readonly address: string;
}

/** What the book knows of an address. Times are in milliseconds of the caller's monotonic clock. */
export interface BookEntry extends BookAddress {
  /** Has a dial reached it? If not, it is only hearsay ('new'). */
  readonly tried: boolean;
  /** Attempts since the last success. */
  readonly failures: number;
  readonly lastAttempt: number | undefined;
  readonly lastSuccess: number | undefined;
  /** The group of who told us, 'self' where nobody did. */
  readonly source: string;
}

/**
 * What became of an address:
 * - `added`, or `known` already (also: the id is known at another address, or the address as another id's, and neither is bad);
 * - `alternative`: the id has a tried address that does not answer, and this one is dialled in turn with it: see `Alternatives`;
 * - `vetted`: it would have taken the place of an address that we reached ourselves;
 * - `own`: ours; `private`: of a private id, or told by one; `banned`; `undialable` in this mode; `malformed`;
 * - `full`: its host has as many entries as it may have (public mode).
 */
export type AddVerdict = 'added' | 'known' | 'alternative' | 'own' | 'private' | 'banned' | 'undialable' | 'malformed' | 'vetted' | 'full';

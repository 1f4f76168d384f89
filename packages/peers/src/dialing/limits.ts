// The constants of the dial planner. A dial of a persistent peer, which the operator named, follows
// only `MOST_PERSISTENT` and `LONGEST_SPREAD`, and is never given up.

/**
 * Longest back-off, in milliseconds, of addresses of the book and of seeds. With the time of a
 * dial, all nodes are found within a minute after a partition heals.
 */
export const LONGEST_ORDINARY = 30_000;
/** Failures in a row after which an address is given up (Tendermint). */
export const MOST_FAILURES = 16;
/** Milliseconds for which an address that was given up is not dialed. */
export const REST = 600_000;
/** Persistent peers that are dialed at once; further ones wait. */
export const MOST_PERSISTENT = 64;
/**
 * Milliseconds for which a dial counts as young. Only a few dials may be young at once
 * (`DialQuota`); an older dial is likely to fail, and lets the next one begin.
 */
export const YOUNG = 1_000;
/** Seeds that are dialed at once; one answer is enough. */
export const MOST_SEEDS = 2;
/** Redials at once of peers whose connection broke, while enough peers are connected. */
export const MOST_AGAIN = 4;
/**
 * Mean milliseconds between two spare dials (see `DialKind`), which the planner varies by 20 %:
 * Bitcoin's EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL.
 */
export const SPARE_PERIOD = 300_000;
/** Minimum milliseconds between two dials that test tried entries for the address book. */
export const TEST_PERIOD = 10_000;
/**
 * New persistent peers are dialed at random times within three intervals of the reconnect option,
 * and within this many milliseconds (Tendermint's 3 s).
 */
export const LONGEST_SPREAD = 3_000;

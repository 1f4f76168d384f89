// The constants of the dial planner. For persistent peers, which the operator named, only
// `MOST_PERSISTENT` and `LONGEST_SPREAD` apply, and they are never given up.

/**
 * Longest back-off, in milliseconds, of addresses of the book and of seeds. With this value, and
 * including the time of a dial, all nodes are found within a minute after a partition heals.
 */
export const LONGEST_ORDINARY = 30_000;
/** Number of failures in a row after which an address is given up (Tendermint). */
export const MOST_FAILURES = 16;
/** Milliseconds for which an address that was given up is not dialed. */
export const REST = 600_000;
/** Maximum number of persistent peers that are dialed at once; further ones wait. */
export const MOST_PERSISTENT = 64;
/**
 * Milliseconds for which a dial counts as young. Only a few dials may be young at once
 * (`DialQuota`). An older dial is likely to fail, so it no longer holds up the next one.
 */
export const YOUNG = 1_000;
/** Maximum number of seeds that are dialed at once; one answer is enough. */
export const MOST_SEEDS = 2;
/**
 * Maximum number of concurrent redials of peers whose connection broke while enough peers are
 * connected.
 */
export const MOST_AGAIN = 4;
/**
 * Mean milliseconds between two spare dials (see `DialKind`), which the planner varies by 20 %. The
 * value is Bitcoin's EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL.
 */
export const SPARE_PERIOD = 300_000;
/** Minimum milliseconds between two dials that test tried entries for the address book. */
export const TEST_PERIOD = 10_000;
/**
 * Maximum time in milliseconds over which the dials of new persistent peers are spread
 * (Tendermint's 3 s). It is less if three intervals of the reconnect option are shorter.
 */
export const LONGEST_SPREAD = 3_000;

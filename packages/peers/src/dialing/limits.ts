// The constants of the dial planner.

/**
 * Longest back-off, in milliseconds, of addresses of the book and of seeds; after a healed
 * partition all nodes are found within a minute.
 */
export const LONGEST_ORDINARY = 30_000;
/** Failures in a row after which an address is given up (Tendermint). */
export const MOST_FAILURES = 16;
/** Milliseconds for which such an address is left alone. */
export const REST = 600_000;
/** Persistent peers that are dialed at once; further ones wait. */
export const MOST_PERSISTENT = 64;
/** Milliseconds for which a dial counts as young; a dial that takes longer is likely to fail. */
export const YOUNG = 1_000;
/** Seeds that are dialed at once; one answer is enough. */
export const MOST_SEEDS = 2;
/** Peers lost by chance that are dialed at once while enough peers are connected. */
export const MOST_AGAIN = 4;
/** Milliseconds between two spare dials, ± 20 %: Bitcoin's EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL. */
export const SPARE_PERIOD = 300_000;
/** Minimum milliseconds between two tests. */
export const TEST_PERIOD = 10_000;
/**
 * Maximum milliseconds over which new persistent peers are spread (Tendermint's 3 s); otherwise
 * three intervals.
 */
export const LONGEST_SPREAD = 3_000;

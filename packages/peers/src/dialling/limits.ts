// The numbers of the dial planner.

/** Milliseconds of the longest back-off of addresses of the book and of seeds: after a healed partition all are found within a minute. */
export const LONGEST_ORDINARY = 30_000;
/** Tendermint: after so many failures in a row an address is given up. */
export const MOST_FAILURES = 16;
/** And left alone for so long. */
export const REST = 600_000;
/** Persistent peers dialled at once; the others wait for an answer. */
export const MOST_PERSISTENT = 64;
/** Milliseconds for which a dial is young: one that takes longer is likely to fail. */
export const YOUNG = 1_000;
/** Seeds dialled at once: one that answers is enough. */
export const MOST_SEEDS = 2;
/** Peers lost by chance that are dialled at once while all links are up. */
export const MOST_AGAIN = 4;
/** Milliseconds from one spare dial to the next, ± 20 %: Bitcoin's EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL. */
export const SPARE_PERIOD = 300_000;
/** Milliseconds from one test to the next, at least. */
export const TEST_PERIOD = 10_000;
/** New persistent peers are spread over three intervals, at most over so many milliseconds (Tendermint's 3 s). */
export const LONGEST_SPREAD = 3_000;

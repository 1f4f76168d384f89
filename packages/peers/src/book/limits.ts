// The constants of the address book. Unless stated otherwise they are those of Tendermint and
// CometBFT (p2p/pex/params.go), most of which come from Bitcoin.

/** Number of buckets for new addresses: reported by others and not yet reached. */
export const NEW_BUCKETS = 256;
/** Number of buckets for tried addresses: reached by a dial. */
export const TRIED_BUCKETS = 64;
/** Addresses in one bucket of either sort: at most 16,384 new and 4,096 tried addresses in all. */
export const BUCKET_SIZE = 64;
/** Number of new buckets that the addresses reported by one source group can reach. */
export const NEW_BUCKETS_PER_SOURCE_GROUP = 32;
/** Number of tried buckets that the addresses of one group can reach. */
export const TRIED_BUCKETS_PER_GROUP = 4;
/** Number of new buckets that one address can be in. */
export const NEW_BUCKETS_PER_ADDRESS = 4;

/** Below this number of addresses, the book asks for more. */
export const ENOUGH_ADDRESSES = 1_000;
/** Size of an answer, in percent of the book. */
export const ANSWER_PERCENT = 23;
/** Minimum number of addresses in an answer, if the book has that many. */
export const SHORTEST_ANSWER = 32;
/** Maximum number of addresses in an answer. */
export const LONGEST_ANSWER = 250;

const DAY = 86_400_000;
/**
 * Milliseconds for which an attempt may still be in progress: until then the address is not bad and
 * has not failed its test. Bitcoin waits as long.
 */
export const ATTEMPT_TIME = 60_000;
/** An address that nobody has reported for this long (milliseconds) has vanished. */
export const VANISHED = 7 * DAY;
/** An address is bad after this many failures without any success. */
export const FAILURES_AT_FIRST = 3;
/** An address is bad after this many failures if its last success is older than `SUCCESS_HOLDS`. */
export const FAILURES_AT_MOST = 10;
/** Milliseconds for which a success counts. */
export const SUCCESS_HOLDS = 7 * DAY;

/**
 * Milliseconds that an alternative address may wait for its dial. One that is never dialed (its
 * address is backing off, or belongs to an operator) then makes room for another. Our choice.
 */
export const ALTERNATIVE_WAITS = 300_000;
/**
 * Milliseconds for which a group may not report another alternative for a node after its last one
 * failed. Our choice: two rounds of exchange, so that others are heard.
 */
export const MISLED = 60_000;

/** Default duration of a ban, in milliseconds. */
export const BAN_TIME = DAY;
/**
 * The longest ban (milliseconds), whatever a caller or a document says. Our choice: a wrong ban in
 * a corrupt file ends eventually.
 */
export const LONGEST_BAN = 30 * DAY;
/**
 * Maximum number of banned ids; one more ends the ban that is due soonest. Our choice: ids cost
 * nothing, so an unbounded list would be a leak.
 */
export const MOST_BANS = 4_096;

/**
 * Maximum share of the picks that new addresses get once `TRIED_ENOUGH` are tried. Our choice; the
 * doc comment of `AddressBook` gives the resulting figures.
 */
export const MOST_NEW_PICKS = 0.05;
/** Number of tried addresses from which `MOST_NEW_PICKS` applies. */
export const TRIED_ENOUGH = 32;
/**
 * Maximum number of entries on one host in public mode. It limits how often we can be made to dial
 * the ports of a victim. Our choice.
 */
export const MOST_ON_A_HOST = 8;
/**
 * Maximum number of own addresses that the book remembers; the one added first makes room. Our
 * choice: listeners have a few, and dials to ourselves find some more.
 */
export const MOST_OWN = 256;

// The constants of the address book. Unless stated otherwise, the values are those of Tendermint
// and CometBFT (p2p/pex/params.go), most of which come from Bitcoin.

/** Number of buckets for new addresses, which others reported and no dial has reached yet. */
export const NEW_BUCKETS = 256;
/** Number of buckets for tried addresses, which a dial has reached. */
export const TRIED_BUCKETS = 64;
/**
 * Maximum number of addresses in one bucket of either kind. In all, there are at most 16,384 new
 * and 4,096 tried addresses.
 */
export const BUCKET_SIZE = 64;
/** Number of new buckets that the addresses reported by one source group can reach. */
export const NEW_BUCKETS_PER_SOURCE_GROUP = 32;
/** Number of tried buckets that the addresses of one group can reach. */
export const TRIED_BUCKETS_PER_GROUP = 4;
/** Maximum number of new buckets that one address can be in. */
export const NEW_BUCKETS_PER_ADDRESS = 4;

/** Number of addresses below which the book asks for more. */
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
 * has not failed its test. Bitcoin uses the same value.
 */
export const ATTEMPT_TIME = 60_000;
/**
 * Time, in milliseconds, after which an address that nobody reports any more counts as vanished.
 */
export const VANISHED = 7 * DAY;
/** Number of failures without any success after which an address is bad. */
export const FAILURES_AT_FIRST = 3;
/**
 * Number of failures after which an address is bad if its last success is older than
 * `SUCCESS_HOLDS`.
 */
export const FAILURES_AT_MOST = 10;
/** Milliseconds for which a success is taken into account. */
export const SUCCESS_HOLDS = 7 * DAY;

/**
 * Milliseconds that an alternative address may wait for its dial. An alternative that is not dialed
 * by then (because its address is backing off, or is one that the operator named) makes room for
 * another. The value is our choice.
 */
export const ALTERNATIVE_WAITS = 300_000;
/**
 * Milliseconds for which a group may not report another alternative for a node after its last one
 * failed. Our choice: two rounds of exchange, so that other groups get a chance.
 */
export const MISLED = 60_000;

/** Default duration of a ban, in milliseconds. */
export const BAN_TIME = DAY;
/**
 * Maximum duration of a ban, in milliseconds, no matter what a caller or a document says. The value
 * is our choice; it makes a wrong ban from a corrupt file end eventually.
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
 * Maximum number of entries on one host in public mode. It limits how often others can make this
 * node dial the ports of a victim. Our choice.
 */
export const MOST_ON_A_HOST = 8;
/**
 * Maximum number of own addresses that the book remembers; beyond it, the one added first is
 * forgotten. The value is our choice: listeners have a few addresses, and dials that reach this
 * node itself find a few more.
 */
export const MOST_OWN = 256;

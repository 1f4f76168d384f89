// The numbers of the address book. Where nothing else is said they are Tendermint's and CometBFT's (p2p/pex/params.go), which has most from Bitcoin.

/** New addresses, told by others and not yet reached: so many buckets. */
export const NEW_BUCKETS = 256;
/** Tried addresses, which a dial has reached: so many buckets. */
export const TRIED_BUCKETS = 64;
/** Addresses in a bucket of either sort: at most 16,384 new ones and 4,096 tried ones in all. */
export const BUCKET_SIZE = 64;
/** New buckets that the addresses told by one source group can reach. */
export const NEW_BUCKETS_PER_SOURCE_GROUP = 32;
/** Tried buckets that the addresses of one group can reach. */
export const TRIED_BUCKETS_PER_GROUP = 4;
/** New buckets that one address can be in. */
export const NEW_BUCKETS_PER_ADDRESS = 4;

/** Below so many addresses the book asks for more. */
export const ENOUGH_ADDRESSES = 1_000;
/** An answer has so many percent of the book … */
export const ANSWER_PERCENT = 23;
/** … but so many at least … */
export const SHORTEST_ANSWER = 32;
/** … and so many at most. */
export const LONGEST_ANSWER = 250;

const DAY = 86_400_000;
/** An attempt in the last minute may be under way still: its address is not bad yet, and has not failed its test (Bitcoin waits as long). */
export const ATTEMPT_TIME = 60_000;
/** Unheard of for so long, an address has vanished. */
export const VANISHED = 7 * DAY;
/** So many failures without one success make an address bad. */
export const FAILURES_AT_FIRST = 3;
/** So many failures make an address bad that had its last success longer ago than `SUCCESS_HOLDS`. */
export const FAILURES_AT_MOST = 10;
/** A success counts for so long. */
export const SUCCESS_HOLDS = 7 * DAY;

/** So long an alternative address may wait for its dial: one that is never dialled (its address rests, or is an operator's) makes way. Our choice. */
export const ALTERNATIVE_WAITS = 300_000;
/** So long the group that told a node's alternative in vain tells none of that node. Our choice: two rounds of exchange, for others to be heard. */
export const MISLED = 60_000;

/** How long a ban lasts if nothing else is said. */
export const BAN_TIME = DAY;
/** No ban is longer, whatever a caller or a document says. Our choice: a ban in a file that went wrong ends. */
export const LONGEST_BAN = 30 * DAY;
/** Ids that are banned at a time; for one more, the ban that ends soonest ends. Our choice: ids are free, so a list without a bound is a leak. */
export const MOST_BANS = 4_096;

/** New addresses get at most this share of the picks … (Our choice, for the figure in AddressBook's comment.) */
export const MOST_NEW_PICKS = 0.05;
/** … as soon as there are so many tried ones. */
export const TRIED_ENOUGH = 32;
/** Entries on one host in public mode; it bounds how often we can be made to dial the ports of a victim. Our choice. */
export const MOST_ON_A_HOST = 8;
/** Addresses of our own that the book remembers; the one added first makes room. Our choice: listeners have a few, self-dials find some more. */
export const MOST_OWN = 256;

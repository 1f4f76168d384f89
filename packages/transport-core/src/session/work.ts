// The cost of a peer's input in work units (docs/wire-protocol.md §9). Unlike time, they are the
// same on every machine and in a simulation. One unit is the cost of the smallest frame, 0.05 to
// 0.2 µs on a machine of 2023. A chunk of 64 KiB of small, legal requests always stays below TURN.

/** Units that one connection may cost in one turn before others are served. */
export const TURN = 8_192;
/**
 * Total units of all connections after which a turn is scarce: from then on a connection may cost
 * only SHARE units, which is enough for one that makes a few calls.
 */
export const SCARCE = 2 * TURN;
export const SHARE = 512;

/**
 * Units of each chunk that is read, in addition to one for each KiB of it and one for each of its
 * frames.
 */
export const CHUNK = 4;
export const CHUNK_SHIFT = 10;
/** A refused request: its ERROR with the text, and the counter. */
export const REFUSAL = 8;
/** A request that is decoded: one unit for each 64 bytes; with the codec `bytes` none. */
export const DECODED_SHIFT = 6;
/**
 * A request that its codec refuses, in addition to one unit for each byte, because schemas spend
 * much time on input that they refuse. It also counts one flood point for each 64 bytes.
 */
export const UNDECODABLE = 64;
export const UNDECODABLE_SHIFT = 6;
/**
 * A cancelled call, whose handler was started for nothing; and one whose handler uses its signal,
 * because each of the signal's listeners is called.
 */
export const CANCEL = 16;
export const CANCEL_TOLD = 256;
/** Metadata and lists of protocols, which are read field by field: one unit for each 16 bytes. */
export const FIELDS_SHIFT = 4;

// What a peer costs us, in work units (docs/wire-protocol.md §9): the same on every machine and in a simulation, as time would not be. One
// is what the smallest frame costs, 0.05 to 0.2 µs on a machine of 2023. A chunk of 64 KiB of small requests, all legal, is always below TURN.

/** Units that one connection may cost in one turn before others are served. */
export const TURN = 8_192;
/** Units after which a turn is scarce, whoever spent them: then a connection may cost SHARE of them, enough for one that makes a few calls. */
export const SCARCE = 2 * TURN;
export const SHARE = 512;

/** Each chunk that is read, besides one for each KiB of it and one for each of its frames. */
export const CHUNK = 4;
export const CHUNK_SHIFT = 10;
/** A request that is refused: its ERROR with its text, and the counter. */
export const REFUSAL = 8;
/** A request that is decoded: a unit for each 64 bytes, none with `bytes`. */
export const DECODED_SHIFT = 6;
/** A request that its codec refuses, besides a unit for each byte; schemas take long over what they refuse. A point of a flood for each 64 bytes. */
export const UNDECODABLE = 64;
export const UNDECODABLE_SHIFT = 6;
/** A call that is cancelled: its handler was started for nothing. Of one whose handler asked for its signal, whose listeners are told one by one. */
export const CANCEL = 16;
export const CANCEL_TOLD = 256;
/** Metadata and lists of protocols, which are read field by field: a unit for each 16 bytes. */
export const FIELDS_SHIFT = 4;

// The kinds of frames (docs/wire-protocol.md §2), which other files import as the namespace `Kind`:
// bundlers then replace each kind by its number. The numbers are part of the wire protocol, so none
// may change; wire/encoder.test.ts, and wire-vectors.test.ts of transport-testkit, compare bytes. 1
// to 31 are reserved for Trunkline: `Session` (session/session.ts) needs a branch for each, because
// it ends the connection for those that it does not know. So does a peer of an earlier version:
// send it a new kind only if its hello allows that. Once the connection is up, kinds from 32 on are
// skipped, counted in `unknownFrame`, and count toward a flood; during the hello they end the
// connection. Export nothing else here: in-flight-frame.ts of the simulation takes each export for
// a kind.

export const HELLO = 1;
export const READY = 2;
export const GO_AWAY = 3;
export const PING = 4;
export const PONG = 5;
export const CREDIT = 6;
export const PROTOCOLS = 7;
export const REQUEST = 8;
export const ONEWAY = 9;
export const RESPONSE = 10;
export const ITEM = 11;
export const PART = 12;
export const END = 13;
export const ERROR = 14;
export const CANCEL = 15;

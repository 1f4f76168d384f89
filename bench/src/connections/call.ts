// The one small call that is made on each connection, so that what a connection allocates when it is used is there.

export const CALL = new Uint8Array(64).fill(7);

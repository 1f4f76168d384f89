// The one small call that is made on each connection, so that what a connection allocates when it is used is there.

export const CALL = new Uint8Array(64).fill(7);

/** @throws Error where it is not the answer. */
export function checkCall(reply: Uint8Array): void {
  if (reply.length !== CALL.length || reply[0] !== 7 || reply[CALL.length - 1] !== 7) throw new Error(`a wrong answer of ${reply.length} bytes`);
}

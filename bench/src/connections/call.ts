// The one small call that is made on each connection, so that memory allocated on first use is
// included.

export const CALL = new Uint8Array(64).fill(7);

/** Checks a reply. @throws Error if it is not the answer. */
export function checkCall(reply: Uint8Array): void {
  if (reply.length !== CALL.length || reply[0] !== 7 || reply[CALL.length - 1] !== 7)
    throw new Error(`a wrong answer of ${reply.length} bytes`);
}

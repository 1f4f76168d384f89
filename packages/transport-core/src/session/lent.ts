// Memory of the program that waits to be sent. A program may use it for something else as soon as
// its call has returned or its write has settled, so it is copied or the write settles later.

import type { Codec } from '../protocol/codec.ts';
import { LENT } from '../wire/frame.ts';

/** True if the program must leave the payload alone until it has left. */
export function isLent(payload: Uint8Array, codec: Codec<any, any> | undefined): boolean {
  return payload.length >= LENT && codec?.owned !== true;
}

/** Returns a payload that may wait: a copy if it is short and the program may use its memory. */
export function kept(payload: Uint8Array, codec: Codec<any, any> | undefined): Uint8Array {
  return payload.length >= LENT || codec?.owned === true ? payload : new Uint8Array(payload);
}

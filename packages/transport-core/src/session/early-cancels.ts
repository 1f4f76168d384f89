// Holds back requests whose CANCEL has arrived in the same chunk, so that their handlers never
// start (docs/wire-protocol.md §9).
//
// Owns the requests that it holds back until the chunk has been read. `IncomingFrames` tells it
// what it reads, and `Callee` asks it about each request. It only guesses from the bytes: a request
// whose CANCEL does not come after all is delivered at the end of the chunk.

import { cancelsAmong, cancelsIn } from '../wire/find-cancels.ts';
import type { Frame } from '../wire/frame.ts';
import type { InCall } from './in-call.ts';

/** The requests of a chunk that are canceled in the same chunk. */
export class EarlyCancels {
  /** The chunk or the batch of frames, until its first request makes a search necessary. */
  #input: Uint8Array | readonly Frame[] | undefined = undefined;
  /** The position in the chunk at which its first whole frame begins. */
  #from = 0;
  #ids: Set<number> | undefined = undefined;
  #held: InCall[] = [];

  /** Begins to read a chunk, whose first whole frame begins at `from`, or a batch of frames. */
  open(input: Uint8Array | readonly Frame[], from: number): void {
    this.#input = input;
    this.#from = from;
  }

  /** Returns true if the call is held back because its CANCEL seems to follow. */
  holds(call: InCall): boolean {
    if (this.#input !== undefined) this.#search(this.#input);
    return this.#ids !== undefined && this.#holdsBack(call);
  }

  #search(input: Uint8Array | readonly Frame[]): void {
    this.#input = undefined;
    this.#ids =
      input instanceof Uint8Array ? cancelsIn(input, this.#from) : cancelsAmong(input, this.#from);
  }

  #holdsBack(call: InCall): boolean {
    if (!this.#ids!.has(call.id)) return false;
    this.#held.push(call);
    return true;
  }

  /**
   * Called when the chunk was read, or its rest waits for more work units.
   * @param deliver receives the requests that were not canceled, if nothing is left to read.
   */
  close(isRead: boolean, deliver: (call: InCall) => void): void {
    this.#input = this.#ids = undefined;
    if (isRead && this.#held.length > 0) this.#deliver(deliver);
  }

  #deliver(deliver: (call: InCall) => void): void {
    const held = this.#held;
    this.#held = [];
    for (const call of held) if (call.open) deliver(call);
  }
}

// Holds back requests whose CANCEL has arrived in the same chunk, so that their handlers never
// start (docs/wire-protocol.md §9).
//
// Owns the requests that it holds back until the chunk has been read. `IncomingFrames` tells it
// what it reads, and `Callee` asks it about each request. It only guesses from the bytes: a request
// whose CANCEL does not come after all is delivered at the end of the chunk.

import { cancelsIn } from '../../wire/find-cancels.ts';
import { type Frame, Kind } from '../../wire/frame.ts';
import type { InCall } from '../in-call.ts';

/** The requests of a chunk that are canceled in the same chunk. */
export class EarlyCancels {
  /** The chunk, and where its first whole frame begins; undefined once it was searched. */
  #chunk: Uint8Array | undefined = undefined;
  #from = 0;
  #ids: Set<number> | undefined = undefined;
  #held: InCall[] = [];

  /** Begins to read a chunk, whose first whole frame begins at `from`. */
  open(chunk: Uint8Array, from: number): void {
    this.#chunk = chunk;
    this.#from = from;
  }

  /** Begins to read a batch of a connection that carries frames. */
  openFrames(batch: readonly Frame[]): void {
    for (const { kind, id } of batch)
      if (kind === Kind.CANCEL) this.#ids = (this.#ids ?? new Set()).add(id);
  }

  /** Returns true if the call is held back because its CANCEL seems to follow. */
  holds(call: InCall): boolean {
    if (this.#chunk !== undefined) {
      this.#ids = cancelsIn(this.#chunk, this.#from);
      this.#chunk = undefined;
    }
    if (this.#ids === undefined || !this.#ids.has(call.id)) return false;
    this.#held.push(call);
    return true;
  }

  /**
   * Called when the chunk was read, or its rest waits for more work units.
   * @param deliver receives the requests that were not canceled, if nothing is left to read.
   */
  close(isRead: boolean, deliver: (call: InCall) => void): void {
    this.#chunk = this.#ids = undefined;
    if (!isRead || this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const call of held) if (call.open) deliver(call);
  }
}

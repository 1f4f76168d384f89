// How many frames make a batch that leaves before its tick is over, so that both ends work at once: half of what is in flight from the
// end that calls, a quarter from the one that answers, counted in frames, never below 8 (measured at 64 bytes: 1.3 to 1.9 times the calls a
// second of a batch of 32 whatever is in flight). Where few are in flight and come one at a time, nothing would go with the one that is
// written next, so it leaves at once: all that a tick does besides is done while it is on its way.

export class Pace {
  /** Frames at which a batch leaves. */
  batch: number;
  /** Those where no calls are in flight. */
  readonly #oneways: number;
  /** Few are in flight, the last chunk held one frame at most, and nothing has been written since. */
  alone = false;
  /** Four times the batch. */
  #busiest = 0;

  /** @param isBounded a rate bounds what leaves: it is overspent by a batch at most, so batches are small. */
  constructor(isBounded = false) {
    this.#oneways = this.batch = isBounded ? BOUNDED : ONEWAYS;
  }

  /**
   * A chunk was read.
   * @param calls of this end that were in flight before the chunk's answers came: after them the figure would spiral down.
   * @param peers how many of the peer's calls are in flight, as their ids tell (`PeerIds.peak`): the frames of a chunk would spiral down too.
   * @param frames of the chunk.
   */
  read(calls: number, peers: number, frames: number): void {
    const busy = Math.max(calls * 2, peers);
    this.#busiest = busy >= this.#busiest ? busy : this.#busiest - 1 - ((this.#busiest - busy) >> FORGETTING);
    this.alone = frames < 2 && this.#busiest < LEAST * 2;
    // In steps of the least: a batch a little too small leaves a rest that travels alone.
    this.batch = this.#busiest === 0 ? this.#oneways : Math.max(LEAST, ((this.#busiest + 31) >> 5) << 3);
  }
}

/** Nobody waits for an answer: a publisher takes 0.78 of the CPU that 32 take it. */
const ONEWAYS = 128;
const BOUNDED = 32;
/** Fewer frames are not worth a write of their own. */
const LEAST = 8;
/** Calls made in waves are few at each wave's end: with each chunk a sixteenth of the difference is forgotten. */
const FORGETTING = 4;

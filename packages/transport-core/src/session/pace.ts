// How many frames make a batch that leaves before its tick is over, so that both ends work at once: three eighths of what is in flight,
// counted in frames, never below 8 (measured at 64 bytes: 1.3 to 1.9 times the calls a second of a batch of 32 whatever is in flight).
// Where few are in flight and come one at a time, nothing would go with the one that is written next, so it leaves at once: all that
// a tick does besides is done while it is on its way.

export class Pace {
  /** Frames at which a batch leaves. */
  batch = UNKNOWN;
  /** Few are in flight, the last chunk held one frame at most, and nothing has been written since. */
  alone = false;
  #busiest = 0;

  /**
   * A chunk was read.
   * @param calls of this end that were in flight before the chunk's answers came: after them the figure would spiral down.
   * @param frames of the chunk: all that an end which only answers knows of what is in flight.
   */
  read(calls: number, frames: number): void {
    const busy = Math.max(calls, frames);
    this.#busiest = busy >= this.#busiest ? busy : this.#busiest - 1 - ((this.#busiest - busy) >> FORGETTING);
    this.alone = frames < 2 && this.#busiest < LEAST;
    this.batch = Math.max(calls > 0 ? LEAST : UNKNOWN, (this.#busiest * 3) >> 3);
  }
}

/** Where nothing better is known. */
const UNKNOWN = 32;
/** Fewer frames are not worth a write of their own. */
const LEAST = 8;
/** Calls made in waves are few at each wave's end: with each chunk a sixteenth of the difference is forgotten. */
const FORGETTING = 4;

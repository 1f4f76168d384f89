// Decides how many frames make up a batch that leaves before its tick is over, so that both ends
// work at the same time.
//
// A batch is half of the frames in flight at the end that calls, a quarter at the end that answers,
// and never less than 8. (With messages of 64 bytes, this gives 1.3 to 1.9 times the calls per
// second of a fixed batch of 32, as measured.) If few calls are in flight and come one at a time,
// the next frame would leave alone anyway. It is then sent immediately, and the rest of the tick's
// work is done while it travels.

/** Decides when a batch leaves. */
export class BatchPacer {
  /** The number of frames at which a batch leaves. */
  batch: number;
  /** The batch while no calls are in flight. */
  readonly #oneways: number;
  /**
   * True if few calls are in flight, the last chunk held at most one frame, and nothing has been
   * written since.
   */
  #alone = false;
  /** Four times the batch. */
  #busiest = 0;

  /** @param oneways the number of frames while no calls are in flight. */
  constructor(oneways: number = ONEWAYS) {
    this.#oneways = this.batch = oneways;
  }

  /** Returns true if a batch that holds `frames` frames, one of them just written, leaves now. */
  leaves(frames: number): boolean {
    if (!this.#alone && frames < this.batch) return false;
    this.#alone = false;
    return true;
  }

  /** Called when a second frame of a chunk was read: the answers to both leave in one batch. */
  readsOn(): void {
    this.#alone = false;
  }

  /**
   * Adapts to a chunk that was read.
   * @param calls this end's calls in flight before the answers in the chunk are handled; the number
   *   afterwards would shrink with each chunk.
   * @param peers the peer's calls in flight, derived from their ids (`PeerIds.peak`); the number of
   *   frames in the chunk would shrink with each chunk, too.
   * @param frames the number of frames in the chunk.
   */
  read(calls: number, peers: number, frames: number): void {
    const busy = Math.max(calls * 2, peers);
    this.#busiest =
      busy >= this.#busiest ? busy : this.#busiest - 1 - ((this.#busiest - busy) >> FORGETTING);
    this.#alone = frames < 2 && this.#busiest < LEAST * 2;
    // The size changes in steps of the minimum: if a batch is slightly too small, the remaining
    // frames travel alone.
    this.batch =
      this.#busiest === 0 ? this.#oneways : Math.max(LEAST, ((this.#busiest + 31) >> 5) << 3);
  }
}

/**
 * The number of frames in a batch while no calls are in flight. No answer is awaited then, so
 * batches are large: a publisher then needs 0.78 times the CPU time that it needs with batches of
 * 32.
 */
const ONEWAYS = 128;
/**
 * The number of frames in such a batch if a rate limit applies: one batch may exceed the limit, so
 * batches are small.
 */
export const BOUNDED = 32;
/** The minimum number of frames that are worth a write of their own. */
const LEAST = 8;
/**
 * The number of bits by which a difference is shifted: each chunk reduces it by only a sixteenth,
 * because if calls are made in waves, few are in flight at the end of each wave.
 */
const FORGETTING = 4;

// Decides how many frames make up a batch that leaves before its tick is over, so that both ends
// work at the same time.
//
// A batch is half of the frames in flight at the end that calls, a quarter at the end that answers,
// and never less than 8. (At 64 bytes that was measured to give 1.3 to 1.9 times the calls a second
// of a fixed batch of 32.) If few calls are in flight and come one at a time, the next frame would
// leave alone anyway, so it is sent at once, and the rest of the tick is done while it travels.

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
   * @param calls this end's calls in flight before the answers of the chunk; the number after them
   *   would spiral down.
   * @param peers the peer's calls in flight, derived from their ids (`PeerIds.peak`); the number of
   *   frames in the chunk would spiral down, too.
   * @param frames the frames of the chunk.
   */
  read(calls: number, peers: number, frames: number): void {
    const busy = Math.max(calls * 2, peers);
    this.#busiest =
      busy >= this.#busiest ? busy : this.#busiest - 1 - ((this.#busiest - busy) >> FORGETTING);
    this.#alone = frames < 2 && this.#busiest < LEAST * 2;
    // In steps of the minimum: if the batch is slightly too small, the rest travels alone.
    this.batch =
      this.#busiest === 0 ? this.#oneways : Math.max(LEAST, ((this.#busiest + 31) >> 5) << 3);
  }
}

/**
 * With no calls in flight no answer is awaited, so batches are large: a publisher then takes 0.78
 * of the CPU time that batches of 32 take.
 */
const ONEWAYS = 128;
/** The same if a rate limit applies: one batch may exceed it, so batches are small. */
export const BOUNDED = 32;
/** Fewer frames are not worth a write of their own. */
const LEAST = 8;
/**
 * Calls that are made in waves are few at the end of each wave, so each chunk forgets only a
 * sixteenth of the difference.
 */
const FORGETTING = 4;

// Measures how late messages come over the tree. Notices are short and overtake them when links or
// processors are busy.

/**
 * Estimates how much longer to wait before a message is asked for. A late message is not lost, and
 * asking for it makes a busy network busier. A peak counts at once and fades with messages that
 * come in time, as TCP's timeout follows its round-trip times (RFC 6298). A peer that gives notice
 * of messages it doesn't have can raise the estimate to 2 s at most.
 */
export class Lateness {
  #late = 0;

  /**
   * A message came over the tree `late` milliseconds after its first notice; 0: before any notice.
   */
  observe(late: number): void {
    this.#late = late > this.#late ? late : this.#late + (late - this.#late) / FADE;
  }

  /** Milliseconds to wait in addition to the delays before a peer is asked. */
  get allowance(): number {
    return Math.min(2 * this.#late, MOST);
  }
}

const FADE = 16;
const MOST = 2_000;

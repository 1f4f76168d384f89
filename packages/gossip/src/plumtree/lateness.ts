// How late messages come over the tree: notices, which are short, overtake them where links or processors are busy.

/**
 * What is late is not lost, and asking for it makes the busy busier: so who gave notice of a message is asked so much later. A peak counts at once
 * and fades with the messages that come in time, as TCP's time-out follows its round trips (RFC 6298). Who gives notice of what is not there yet can make
 * it 2 s at most.
 */
export class Lateness {
  #late = 0;

  /** A message came over the tree, so many milliseconds after the first notice of it; 0: before any. */
  observe(late: number): void {
    this.#late = late > this.#late ? late : this.#late + (late - this.#late) / FADE;
  }

  /** Milliseconds more to wait before anybody is asked. */
  get allowance(): number {
    return Math.min(2 * this.#late, MOST);
  }
}

const FADE = 16;
const MOST = 2_000;

// Tracks which messages of one origin were seen, by recording what is missing: all sequences up to
// the highest were seen, except for the gaps. A stream that arrives in order takes two numbers, no
// matter how long it is. A forged sequence far ahead takes no more. SeenMessages owns one window
// for each origin's present life.

export interface OriginWindowLimits {
  /** Milliseconds that a gap stays open. A missing message that comes later is refused. */
  readonly retention: number;
  /** Maximum number of gaps. Beyond it, the gap with the lowest sequences is closed. */
  readonly gaps: number;
}

/**
 * The result of looking up a sequence. `old`: the sequence was seen, or came too late to determine
 * whether it was seen.
 */
export type SequenceVerdict = 'new' | 'seen' | 'old';

interface Gap {
  /** The first missing sequence. */
  readonly from: number;
  /** The first sequence number that was seen after the gap. */
  readonly to: number;
  /** Time at which the gap was created, or was last shortened from below. */
  readonly since: number;
}

/**
 * A sequence is new at most once: gaps only shrink, and only a sequence above all others opens a
 * gap.
 */
export class OriginWindow {
  /** The highest sequence seen; −1 if there is none. */
  #top = -1;
  /** The sequence below which gaps were closed, so that it is unknown which sequences were seen. */
  #floor = 0;
  /** The gaps, in ascending order. */
  #gaps: Gap[] | undefined;

  /** The number of open gaps. */
  get gaps(): number {
    return this.#gaps?.length ?? 0;
  }

  /** Time at which the oldest gap closes; Infinity if there is none. */
  closesAt({ retention }: OriginWindowLimits): number {
    return Math.min(...(this.#gaps ?? []).map(({ since }) => since)) + retention;
  }

  /** Returns whether the sequence is new, without remembering it. */
  look(sequence: number, now: number, { retention }: OriginWindowLimits): SequenceVerdict {
    if (sequence > this.#top) return 'new';
    const gap = this.#gaps?.[this.#gapOf(sequence)];
    if (gap !== undefined && now - gap.since < retention) return 'new';
    return gap !== undefined || sequence < this.#floor ? 'old' : 'seen';
  }

  /** Remembers the sequence if it follows the highest, as most do. Otherwise returns false. */
  takeNext(sequence: number): boolean {
    if (sequence !== this.#top + 1) return false;
    this.#top = sequence;
    return true;
  }

  /** Remembers a sequence that `look` has just found `new`. */
  take(sequence: number, now: number, limits: OriginWindowLimits): void {
    if (sequence > this.#top) {
      if (sequence > this.#top + 1)
        (this.#gaps ??= []).push({ from: this.#top + 1, to: sequence, since: now });
      this.#top = sequence;
    } else {
      this.#fill(sequence, now);
    }
    while (this.#gaps !== undefined && this.#gaps.length > limits.gaps) this.#close(0);
  }

  /** Closes the gaps that have been open for `retention`. */
  closeOld(now: number, { retention }: OriginWindowLimits): void {
    for (let i = (this.#gaps?.length ?? 0) - 1; i >= 0; i--)
      if (now - this.#gaps![i]!.since >= retention) this.#close(i);
  }

  /**
   * Splits a gap at the sequence. The part below keeps its time; the part above counts as a new
   * gap, because the stream continues.
   */
  #fill(sequence: number, now: number): void {
    const gaps = this.#gaps!;
    const index = this.#gapOf(sequence);
    const { from, to, since } = gaps[index]!;
    const rest: Gap[] = [];
    if (from < sequence) rest.push({ from, to: sequence, since });
    if (sequence + 1 < to) rest.push({ from: sequence + 1, to, since: now });
    gaps.splice(index, 1, ...rest);
  }

  #close(index: number): void {
    const [gap] = this.#gaps!.splice(index, 1);
    this.#floor = Math.max(this.#floor, gap!.to);
  }

  /** Returns the index of the gap that contains the sequence, or −1; a binary search. */
  #gapOf(sequence: number): number {
    const gaps = this.#gaps;
    if (gaps === undefined) return -1;
    let low = 0;
    let high = gaps.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const gap = gaps[middle]!;
      if (sequence < gap.from) high = middle - 1;
      else if (sequence >= gap.to) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}

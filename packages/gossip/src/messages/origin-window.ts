// Which messages of one origin were seen, told by what is missing: all sequences up to the highest, but for the gaps.
// A stream that comes in order costs two numbers, however long it is; so does one forged sequence far ahead.

export interface OriginWindowLimits {
  /** Milliseconds that a gap stays open: what comes later than that after its followers is refused. */
  readonly retention: number;
  /** Gaps at most; then the one with the lowest sequences closes. */
  readonly gaps: number;
}

/** `old`: it was seen, or it comes too late to tell. */
export type SequenceVerdict = 'new' | 'seen' | 'old';

interface Gap {
  /** The first sequence that is missing. */
  readonly from: number;
  /** The first behind it that is not. */
  readonly to: number;
  /** When it last was made or shrank from below. */
  readonly since: number;
}

/** A sequence is new at most once: gaps only shrink, and only what lies above all that was heard opens one. */
export class OriginWindow {
  /** The highest sequence seen; −1: none. */
  #top = -1;
  /** Below it nobody can tell: a gap was closed. */
  #floor = 0;
  /** Ascending. */
  #gaps: Gap[] | undefined;

  /** The number of open gaps. */
  get gaps(): number {
    return this.#gaps?.length ?? 0;
  }

  /** Whether any gap is open. */
  get isOpen(): boolean {
    return this.#gaps !== undefined;
  }

  /** When the oldest gap closes; Infinity: there is none. */
  closesAt({ retention }: OriginWindowLimits): number {
    return (this.#gaps ?? []).reduce((earliest, gap) => Math.min(earliest, gap.since + retention), Number.POSITIVE_INFINITY);
  }

  /** What `note` would say. */
  look(sequence: number, now: number, { retention }: OriginWindowLimits): SequenceVerdict {
    if (sequence > this.#top) return 'new';
    const gap = this.#gaps?.[this.#gapOf(sequence)];
    if (gap !== undefined && now - gap.since < retention) return 'new';
    return gap !== undefined || sequence < this.#floor ? 'old' : 'seen';
  }

  /** Says what it is, and remembers it. */
  note(sequence: number, now: number, limits: OriginWindowLimits): SequenceVerdict {
    const verdict = this.look(sequence, now, limits);
    if (verdict === 'new') this.take(sequence, now, limits);
    return verdict;
  }

  /** Remembers the one behind the highest, as most are. False: it is another one. */
  takeNext(sequence: number): boolean {
    if (sequence !== this.#top + 1) return false;
    this.#top = sequence;
    return true;
  }

  /** Remembers one that is `new`, as `look` has just said. */
  take(sequence: number, now: number, limits: OriginWindowLimits): void {
    if (sequence > this.#top) {
      if (sequence > this.#top + 1) (this.#gaps ??= []).push({ from: this.#top + 1, to: sequence, since: now });
      this.#top = sequence;
    } else {
      this.#fill(sequence, now);
    }
    while (this.#gaps !== undefined && this.#gaps.length > limits.gaps) this.#close(0);
  }

  /** Closes the gaps whose time is over. */
  closeOld(now: number, { retention }: OriginWindowLimits): void {
    for (let i = (this.#gaps?.length ?? 0) - 1; i >= 0; i--) if (now - this.#gaps![i]!.since >= retention) this.#close(i);
  }

  /** The gap below the sequence keeps its time; the one above it is the stream going on. */
  #fill(sequence: number, now: number): void {
    const gaps = this.#gaps!;
    const index = this.#gapOf(sequence);
    const { from, to, since } = gaps[index]!;
    const rest: Gap[] = [];
    if (from < sequence) rest.push({ from, to: sequence, since });
    if (sequence + 1 < to) rest.push({ from: sequence + 1, to, since: now });
    gaps.splice(index, 1, ...rest);
    if (gaps.length === 0) this.#gaps = undefined;
  }

  #close(index: number): void {
    const [gap] = this.#gaps!.splice(index, 1);
    this.#floor = Math.max(this.#floor, gap!.to);
    if (this.#gaps!.length === 0) this.#gaps = undefined;
  }

  /** Its index, −1 for none: by halving. */
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

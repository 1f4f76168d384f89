// The queue of future events, ordered by time and then by creation. A binary heap.

export interface Event {
  at: number;
  order: number;
  run: () => void;
}

export class EventQueue {
  readonly #heap: Event[] = [];
  #made = 0;

  add(at: number, run: () => void): void {
    const heap = this.#heap;
    let i = heap.push({ at, order: this.#made++, run }) - 1;
    for (let up = (i - 1) >> 1; i > 0 && before(heap[i]!, heap[up]!); up = (i - 1) >> 1)
      i = swap(heap, i, up);
  }

  /** Removes and returns the first event, if it is due by `end`. */
  next(end: number): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > end) return undefined;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0, down = 1; down < heap.length; down = 2 * i + 1) {
      if (down + 1 < heap.length && before(heap[down + 1]!, heap[down]!)) down++;
      if (!before(heap[down]!, heap[i]!)) break;
      i = swap(heap, i, down);
    }
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Swaps two elements, and returns the second index. */
function swap(heap: Event[], i: number, j: number): number {
  [heap[i], heap[j]] = [heap[j]!, heap[i]!];
  return j;
}

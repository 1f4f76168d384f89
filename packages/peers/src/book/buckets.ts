// A fixed number of bounded buckets. The items of a bucket keep their order of arrival, so that a
// book that is read from a document draws the same entries as the book that wrote the document.

import { BUCKET_SIZE } from './limits.ts';

/** A fixed number of buckets with at most `BUCKET_SIZE` items each. */
export class Buckets<T> {
  readonly rows: readonly T[][];
  #size = 0;
  #used = 0;

  constructor(count: number) {
    this.rows = Array.from({ length: count }, () => []);
  }

  /** The number of items in all buckets. */
  get size(): number {
    return this.#size;
  }

  /** The number of non-empty buckets. */
  get used(): number {
    return this.#used;
  }

  isFull(row: number): boolean {
    return this.rows[row]!.length >= BUCKET_SIZE;
  }

  put(row: number, item: T): void {
    const bucket = this.rows[row]!;
    bucket.push(item);
    this.#size++;
    if (bucket.length === 1) this.#used++;
  }

  take(row: number, item: T): void {
    const bucket = this.rows[row]!;
    const at = bucket.indexOf(item);
    if (at < 0) return;
    bucket.splice(at, 1);
    this.#size--;
    if (bucket.length === 0) this.#used--;
  }

  /** Returns the item at an index, counted across all buckets. */
  at(index: number): T {
    let left = index;
    for (const bucket of this.rows) {
      if (left < bucket.length) return bucket[left]!;
      left -= bucket.length;
    }
    throw new RangeError(`${index} is out of range`);
  }

  /** Returns the non-empty bucket at an index, counted across the non-empty buckets. */
  bucketAt(index: number): readonly T[] {
    let left = index;
    for (const bucket of this.rows) if (bucket.length > 0 && left-- === 0) return bucket;
    throw new RangeError(`${index} is out of range`);
  }
}

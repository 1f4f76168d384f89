// The shared board: the strokes that this node knows, whatever the order of their arrival, and the
// cursors of the others.

import type { Point, Stroke } from './protocol.ts';

/** Strokes on the board; beyond that, the one that arrived first disappears. */
const MOST_STROKES = 2_000;
/** Strokes in one item of the download. */
const BATCH = 64;
const MOST_CURSORS = 64;
/** A cursor that has not moved for this long disappears, in milliseconds. */
const CURSOR_TIME = 10_000;

interface Cursor {
  readonly point: Point;
  readonly at: number;
}

export class Board {
  readonly #strokes = new Map<string, Stroke>();
  readonly #cursors = new Map<string, Cursor>();
  #revision = 0;

  /** Adds a stroke. Adding it again changes nothing. */
  add(stroke: Stroke): void {
    if (this.#strokes.has(stroke.id)) return;
    this.#revision++;
    this.#strokes.set(stroke.id, stroke);
    if (this.#strokes.size > MOST_STROKES) this.#strokes.delete(this.#strokes.keys().next().value!);
  }

  /** Grows with each change, for views that draw only then. */
  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#strokes.size;
  }

  strokes(): IterableIterator<Stroke> {
    return this.#strokes.values();
  }

  /** Yields all strokes, in lists that fit into one item each. */
  *batches(): Generator<Stroke[]> {
    const all = [...this.#strokes.values()];
    for (let at = 0; at < all.length; at += BATCH) yield all.slice(at, at + BATCH);
  }

  /** Moves the cursor of a node. Beyond 64 cursors, those of further nodes are not shown. */
  moveCursor(nodeId: string, point: Point, now: number): void {
    if (this.#cursors.size >= MOST_CURSORS && !this.#cursors.has(nodeId)) return;
    this.#revision++;
    this.#cursors.set(nodeId, { point, at: now });
  }

  removeCursor(nodeId: string): void {
    if (this.#cursors.delete(nodeId)) this.#revision++;
  }

  /** Removes the cursors that have not moved for 10 s. */
  expire(now: number): void {
    for (const [nodeId, { at }] of this.#cursors)
      if (now - at > CURSOR_TIME) this.removeCursor(nodeId);
  }

  /** Returns the position of each cursor by node id. */
  cursors(): [string, Point][] {
    return [...this.#cursors].map(([nodeId, { point }]) => [nodeId, point]);
  }
}

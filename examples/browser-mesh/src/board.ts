// The shared board: the strokes that this node knows, whatever the order of their arrival.

import type { Stroke } from './protocol.ts';

/** Strokes on the board; beyond that, the one that arrived first disappears. */
const MOST_STROKES = 2_000;

export class Board {
  readonly #strokes = new Map<string, Stroke>();
  /** Grows with each change, for views that draw only then. */
  revision = 0;

  /** Adds a stroke. Adding it again changes nothing. */
  add(stroke: Stroke): void {
    const key = `${stroke.by} ${stroke.number}`;
    if (this.#strokes.has(key)) return;
    this.revision++;
    this.#strokes.set(key, stroke);
    if (this.#strokes.size > MOST_STROKES) this.#strokes.delete(this.#strokes.keys().next().value!);
  }

  get size(): number {
    return this.#strokes.size;
  }

  strokes(): Stroke[] {
    return [...this.#strokes.values()];
  }
}

// The places of the nodes in the picture, which a worker computes.

import type { LayoutReply, LayoutRequest } from './layout-messages.ts';
import LayoutWorker from './layout-worker.js?worker&inline';

/** A place in the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The layout of one graph, which may change. End it with `close`. */
export class Layout {
  readonly #worker: Worker = new LayoutWorker();
  readonly #moved: () => void;
  #requests = 0;
  #topology = '';
  #keys: readonly string[] = [];
  #asked: readonly string[] = [];
  #places: Float32Array = new Float32Array();
  #indexes = new Map<string, number>();

  /** @param moved is called when nodes have moved */
  constructor(moved: () => void) {
    this.#moved = moved;
    this.#worker.onmessage = ({ data }: MessageEvent<LayoutReply>) => this.#take(data);
  }

  /** Lays out a graph. Nothing happens if it has the same nodes and links as before. */
  update(keys: readonly string[], links: readonly { from: string; to: string }[]): void {
    const indexes = new Map(keys.map((key, i) => [key, i]));
    const pairs = links.flatMap(({ from, to }): [number, number][] => {
      const [source, target] = [indexes.get(from), indexes.get(to)];
      return source === undefined || target === undefined || source === target
        ? []
        : [[source, target]];
    });
    const topology = `${keys.join('\n')}\n${pairs.join(' ')}`;
    if (topology === this.#topology) return;
    this.#topology = topology;
    this.#asked = keys;
    this.#requests++;
    this.#worker.postMessage({ keys, links: pairs } satisfies LayoutRequest);
  }

  /** Returns the place of a node; undefined until the worker has placed it. */
  placeOf(key: string): Point | undefined {
    const index = this.#indexes.get(key);
    if (index === undefined) return undefined;
    return { x: this.#places[2 * index]!, y: this.#places[2 * index + 1]! };
  }

  /** The nodes that have a place. */
  get keys(): readonly string[] {
    return this.#keys;
  }

  close(): void {
    this.#worker.terminate();
  }

  #take({ request, places }: LayoutReply): void {
    // A reply to an older request names other nodes.
    if (request !== this.#requests) return;
    this.#places = places;
    if (this.#keys !== this.#asked) {
      this.#keys = this.#asked;
      this.#indexes = new Map(this.#keys.map((key, i) => [key, i]));
    }
    this.#moved();
  }
}

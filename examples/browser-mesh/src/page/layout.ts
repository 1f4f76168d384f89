// The places of the nodes in the picture: they repel each other, and links pull them together.

import type { Ends } from '../picture.ts';

/** Forces act in a square, from minus this to plus this, because none of its sides is favored. */
const HALF = 116;
/** The picture is the square stretched to this width. */
const STRETCH = 1.35;
const LINK_LENGTH = 130;
const REPULSION = 24_000;
const SPRING = 0.02;
const GRAVITY = 0.012;
/** The fastest that a node moves in a step. */
const FASTEST = 14;
/** A layout that moves less than this in a step is at rest. */
const REST = 0.05;
/** The angle between two nodes that come one after the other: no two begin at the same place. */
const GOLDEN_ANGLE = 2.4;

export interface Place {
  x: number;
  y: number;
}

export class Layout {
  readonly #places = new Map<string, Place>();
  #arrived = 0;

  /** Moves all nodes by one step. Returns whether they still move. */
  step(nodeIds: readonly string[], links: readonly Ends[]): boolean {
    this.#update(nodeIds);
    const forces = new Map(nodeIds.map((nodeId) => [nodeId, this.#forceOn(nodeId)]));
    for (const [one, other] of links) {
      const [from, to] = [this.#places.get(one), this.#places.get(other)];
      if (from === undefined || to === undefined) continue;
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      const length = Math.hypot(dx, dy) || 1;
      const pull = (SPRING * (length - LINK_LENGTH)) / length;
      push(forces.get(one), dx * pull, dy * pull);
      push(forces.get(other), -dx * pull, -dy * pull);
    }
    let moved = 0;
    for (const [nodeId, { x, y }] of forces) {
      const place = this.#places.get(nodeId)!;
      const slower = Math.min(1, FASTEST / (Math.hypot(x, y) || 1));
      const [fromX, fromY] = [place.x, place.y];
      place.x = clamp(fromX + x * slower, HALF);
      place.y = clamp(fromY + y * slower, HALF);
      moved = Math.max(moved, Math.hypot(place.x - fromX, place.y - fromY));
    }
    return moved > REST;
  }

  /** Returns the place of a node in the picture, whose center is 0, 0. */
  placeOf(nodeId: string): Place {
    const { x, y } = this.#places.get(nodeId) ?? { x: 0, y: 0 };
    return { x: x * STRETCH, y };
  }

  /** Gives new nodes a place, and forgets those that have gone. */
  #update(nodeIds: readonly string[]): void {
    const here = new Set(nodeIds);
    for (const nodeId of this.#places.keys()) if (!here.has(nodeId)) this.#places.delete(nodeId);
    for (const nodeId of nodeIds) {
      if (this.#places.has(nodeId)) continue;
      const angle = GOLDEN_ANGLE * this.#arrived++;
      this.#places.set(nodeId, { x: 80 * Math.cos(angle), y: 80 * Math.sin(angle) });
    }
  }

  /** Returns the force of the other nodes and of the center. */
  #forceOn(nodeId: string): Place {
    const own = this.#places.get(nodeId)!;
    const force = { x: -own.x * GRAVITY, y: -own.y * GRAVITY };
    for (const place of this.#places.values()) {
      if (place === own) continue;
      const [dx, dy] = [own.x - place.x, own.y - place.y];
      const square = Math.max(100, dx * dx + dy * dy);
      push(force, (REPULSION * dx) / square ** 1.5, (REPULSION * dy) / square ** 1.5);
    }
    return force;
  }
}

function push(force: Place | undefined, x: number, y: number): void {
  if (force === undefined) return;
  force.x += x;
  force.y += y;
}

function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}

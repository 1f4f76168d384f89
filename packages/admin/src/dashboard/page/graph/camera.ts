// The part of the plane that the picture shows.

import type { Point } from './layout.ts';

/** A position and a scale. Its methods change it. */
export class Camera {
  /** The point of the plane in the middle of the picture. */
  x = 0;
  y = 0;
  /** Pixels for each unit of the plane. */
  scale = 1;
  /** The factor by which x is stretched more than y, so that a graph fills a wide or high frame. */
  stretch = 1;
  /** True if the user has moved the camera; otherwise the camera follows the graph. */
  isMoved = false;

  /** Returns the pixel of a point, from the middle of the picture. */
  toScreen({ x, y }: Point): Point {
    return { x: (x - this.x) * this.scale * this.stretch, y: (y - this.y) * this.scale };
  }

  /** Returns the point at a pixel, from the middle of the picture. */
  toPlane({ x, y }: Point): Point {
    return { x: this.x + x / (this.scale * this.stretch), y: this.y + y / this.scale };
  }

  /** Moves the picture by pixels. */
  pan(dx: number, dy: number): void {
    this.x -= dx / (this.scale * this.stretch);
    this.y -= dy / this.scale;
    this.isMoved = true;
  }

  /** Scales the picture around a pixel. */
  zoom(factor: number, at: Point = { x: 0, y: 0 }): void {
    const fixed = this.toPlane(at);
    this.scale = Math.min(LARGEST, Math.max(SMALLEST, this.scale * factor));
    this.x = fixed.x - at.x / (this.scale * this.stretch);
    this.y = fixed.y - at.y / this.scale;
    this.isMoved = true;
  }

  /** Shows all points in a picture of this size. */
  fit(points: readonly Point[], width: number, height: number): void {
    this.isMoved = false;
    if (points.length === 0) return;
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const { x, y } of points) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    this.x = (left + right) / 2;
    this.y = (top + bottom) / 2;
    const wide = (width - 2 * Math.min(LABEL_MARGIN, width / 8)) / Math.max(1, right - left);
    const high = (height - 2 * MARGIN) / Math.max(1, bottom - top);
    this.stretch = Math.min(MOST_STRETCH, Math.max(1 / MOST_STRETCH, wide / high));
    this.scale = Math.min(LARGEST_FIT, Math.max(SMALLEST, Math.min(wide / this.stretch, high)));
  }
}

const SMALLEST = 0.05;
const LARGEST = 8;
const LARGEST_FIT = 3;
const MOST_STRETCH = 2;
/** The margin above and below a graph that `fit` shows, in pixels. */
const MARGIN = 48;
/** The margin beside it, which leaves room for half a label, in pixels. */
const LABEL_MARGIN = 90;

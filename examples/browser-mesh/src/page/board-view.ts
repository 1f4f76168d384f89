// The board on the screen: draws the strokes and the cursors, and turns the pointer into strokes.

import type { Board } from '../board.ts';
import { colorOf, nameOf } from '../names.ts';
import type { MeshPicture } from '../picture.ts';
import { BOARD, MOST_POINTS, type Point } from '../protocol.ts';

/** Milliseconds between two messages of the pointer. */
const SEND_INTERVAL = 50;
const LINE_WIDTH = 7;

/** The part of a participant that the board needs. */
export interface Artist {
  readonly board: Board;
  readonly picture: MeshPicture;
  now(): number;
  draw(points: Point[]): void;
  moveCursor(point: Point): void;
}

export class BoardView {
  readonly #canvas: HTMLCanvasElement;
  readonly #artist: Artist;
  /** The points of the line being drawn that were not sent yet. Undefined if none is drawn. */
  #line: Point[] | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  /** The revision of the board that is on the screen. */
  #drawn = -1;

  constructor(canvas: HTMLCanvasElement, artist: Artist) {
    this.#canvas = canvas;
    this.#artist = artist;
    canvas.addEventListener('pointerdown', (event) => this.#press(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', () => this.#release());
    canvas.addEventListener('pointercancel', () => this.#release());
  }

  /** Draws the board, if it or the size of the canvas has changed. */
  draw(): void {
    const { board, picture } = this.#artist;
    const width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    const height = Math.round(this.#canvas.clientHeight * devicePixelRatio);
    const isResized = this.#canvas.width !== width || this.#canvas.height !== height;
    if (!isResized && this.#drawn === board.revision) return;
    this.#drawn = board.revision;
    if (isResized) Object.assign(this.#canvas, { width, height });
    const context = this.#canvas.getContext('2d')!;
    context.setTransform(width / BOARD.width, 0, 0, height / BOARD.height, 0, 0);
    context.clearRect(0, 0, BOARD.width, BOARD.height);
    context.lineCap = context.lineJoin = 'round';
    context.lineWidth = LINE_WIDTH;
    for (const { hue, points } of board.strokes()) {
      context.strokeStyle = colorOf(hue);
      context.beginPath();
      // A line of one point is a dot: it begins and ends there.
      context.moveTo(...points[0]!);
      for (const point of points) context.lineTo(...point);
      context.stroke();
    }
    const unit = BOARD.width / Math.max(1, this.#canvas.clientWidth);
    for (const [nodeId, point] of board.cursors()) {
      context.fillStyle = colorOf(picture.hueOf(nodeId) ?? 0);
      drawCursor(context, nameOf(nodeId), point, unit);
    }
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#line = [this.#pointOf(event)];
  }

  #move(event: PointerEvent): void {
    const point = this.#pointOf(event);
    const now = this.#artist.now();
    const isDue = now - this.#sentAt >= SEND_INTERVAL;
    if (this.#line !== undefined) {
      this.#line.push(point);
      if (isDue || this.#line.length >= MOST_POINTS) this.#send();
    }
    if (!isDue) return;
    this.#artist.moveCursor(point);
    this.#sentAt = now;
  }

  #release(): void {
    if (this.#line !== undefined) this.#send();
    this.#line = undefined;
  }

  /** Sends the points so far. The next piece begins at the last one. */
  #send(): void {
    const points = this.#line!;
    this.#artist.draw(points);
    this.#line = [points.at(-1)!];
  }

  #pointOf({ offsetX, offsetY }: PointerEvent): Point {
    const { clientWidth, clientHeight } = this.#canvas;
    return [
      scaled(offsetX / clientWidth, BOARD.width),
      scaled(offsetY / clientHeight, BOARD.height),
    ];
  }
}

function scaled(share: number, size: number): number {
  return Math.round(Math.max(0, Math.min(1, share)) * size);
}

/** Draws an arrow and a name. `unit` is a pixel of the screen, in units of the board. */
function drawCursor(
  context: CanvasRenderingContext2D,
  name: string,
  [x, y]: Point,
  unit: number,
): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + 5 * unit, y + 14 * unit);
  context.lineTo(x + 14 * unit, y + 6 * unit);
  context.fill();
  context.font = `600 ${11 * unit}px system-ui, sans-serif`;
  const width = context.measureText(name).width + 10 * unit;
  context.beginPath();
  context.roundRect(x + 11 * unit, y + 14 * unit, width, 18 * unit, 5 * unit);
  context.fill();
  context.fillStyle = '#fff';
  context.fillText(name, x + 16 * unit, y + 27 * unit);
}

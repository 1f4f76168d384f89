// The board on the screen: draws the strokes, and turns the pointer into strokes.

import { colorOf } from '../names.ts';
import type { Participant } from '../participant.ts';
import { BOARD, MOST_POINTS, type Point } from '../protocol.ts';

/** Milliseconds between two messages of the pointer. */
const SEND_INTERVAL = 50;
const LINE_WIDTH = 7;

export class BoardView {
  readonly #canvas: HTMLCanvasElement;
  readonly #self: Participant;
  /** The points of the line being drawn that were not sent yet. Undefined if none is drawn. */
  #line: Point[] | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  /** The revision of the board that is on the screen. */
  #drawn = -1;

  constructor(canvas: HTMLCanvasElement, self: Participant) {
    this.#canvas = canvas;
    this.#self = self;
    canvas.addEventListener('pointerdown', (event) => this.#press(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', () => this.#release());
    canvas.addEventListener('pointercancel', () => this.#release());
  }

  /** Draws the board, if it or the size of the canvas has changed. */
  draw(): void {
    const { board } = this.#self;
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
    for (const { by, points } of board.strokes()) {
      context.strokeStyle = colorOf(by);
      context.beginPath();
      // A line of one point is a dot: it begins and ends there.
      context.moveTo(...points[0]!);
      for (const point of points) context.lineTo(...point);
      context.stroke();
    }
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#line = [this.#pointOf(event)];
  }

  #move(event: PointerEvent): void {
    if (this.#line === undefined) return;
    this.#line.push(this.#pointOf(event));
    const isDue = event.timeStamp - this.#sentAt >= SEND_INTERVAL;
    if (!isDue && this.#line.length < MOST_POINTS) return;
    this.#sentAt = event.timeStamp;
    this.#send();
  }

  #release(): void {
    if (this.#line !== undefined) this.#send();
    this.#line = undefined;
  }

  /** Sends the points so far. The next piece begins at the last one. */
  #send(): void {
    const points = this.#line!;
    this.#self.draw(points);
    this.#line = [points.at(-1)!];
  }

  #pointOf({ offsetX, offsetY }: PointerEvent): Point {
    const scaled = (share: number, size: number) =>
      Math.round(Math.max(0, Math.min(1, share)) * size);
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    return [scaled(offsetX / width, BOARD.width), scaled(offsetY / height, BOARD.height)];
  }
}

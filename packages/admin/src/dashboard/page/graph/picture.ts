// Draws a graph on a canvas that is larger than its frame, so that a pan only moves the canvas.

import type { Health } from '../../model/graph.ts';
import { placeLabels } from '../../model/labels.ts';
import { Camera } from './camera.ts';
import { Layout, type Point } from './layout.ts';

/** A node as it is drawn. */
export interface DrawnNode {
  readonly key: string;
  readonly title: string;
  readonly health: Health;
  /** The number of links; the labels of nodes with more links go first. */
  readonly degree?: number | undefined;
  /** The number of clients, which are drawn as dots around the node. */
  readonly clients?: number | undefined;
}

/** A link as it is drawn. `weight` is its width, 0 to 3; `isFaint` is true if it carries little. */
export interface DrawnLink {
  readonly from: string;
  readonly to: string;
  readonly weight: number;
  readonly isFaint: boolean;
}

/** A live picture of a graph. It owns its layout; end it with `close`. */
export class Picture {
  readonly camera: Camera = new Camera();
  readonly #canvas: HTMLCanvasElement;
  readonly #layout: Layout = new Layout(() => this.#changed());
  #nodes: readonly DrawnNode[] = [];
  #links: readonly DrawnLink[] = [];
  #selected: string | undefined;
  /** The size of the frame in CSS pixels. */
  #width = 0;
  #height = 0;
  /** The camera's position when the canvas was drawn last. */
  #drawn: Pick<Camera, 'x' | 'y' | 'scale' | 'stretch'> = { x: 0, y: 0, scale: 0, stretch: 1 };
  #isStale = true;
  #frame = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** Shows a graph. */
  show(
    nodes: readonly DrawnNode[],
    links: readonly DrawnLink[],
    selected: string | undefined,
  ): void {
    this.#nodes = nodes;
    this.#links = links;
    this.#selected = selected;
    this.#layout.update(
      nodes.map(({ key }) => key),
      links,
    );
    this.#changed();
  }

  /** Fits the canvas into a frame. */
  resize(width: number, height: number): void {
    if (width === this.#width && height === this.#height) return;
    this.#width = width;
    this.#height = height;
    const ratio = Math.min(2, devicePixelRatio);
    const [fullWidth, fullHeight] = [width + 2 * EDGE, height + 2 * EDGE];
    this.#canvas.width = Math.round(fullWidth * ratio);
    this.#canvas.height = Math.round(fullHeight * ratio);
    this.#canvas.style.width = `${fullWidth}px`;
    this.#canvas.style.height = `${fullHeight}px`;
    this.#changed();
  }

  /** Moves the picture by pixels. */
  pan(dx: number, dy: number): void {
    this.camera.pan(dx, dy);
    this.#request();
  }

  /** Scales the picture around a pixel from the middle of the frame. */
  zoom(factor: number, at?: Point): void {
    this.camera.zoom(factor, at);
    this.#changed();
  }

  /** Shows the whole graph, and follows it as it grows. */
  fit(): void {
    this.camera.isMoved = false;
    this.#changed();
  }

  /** Draws the graph again after the colors of the page have changed. */
  recolor(): void {
    this.#changed();
  }

  /** Returns the node at a pixel from the middle of the frame; undefined if there is none. */
  nodeAt(at: Point): string | undefined {
    let nearest: string | undefined;
    let least = REACH * REACH;
    for (const { key } of this.#nodes) {
      const place = this.#layout.placeOf(key);
      if (place === undefined) continue;
      const { x, y } = this.camera.toScreen(place);
      const distance = (x - at.x) ** 2 + (y - at.y) ** 2;
      if (distance < least) [nearest, least] = [key, distance];
    }
    return nearest;
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#layout.close();
  }

  #changed(): void {
    this.#isStale = true;
    this.#request();
  }

  #request(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#update();
    });
  }

  #update(): void {
    if (this.#width === 0) return;
    if (!this.camera.isMoved) {
      const places = this.#layout.keys.map((key) => this.#layout.placeOf(key)!);
      this.camera.fit(places, this.#width, this.#height);
    }
    let dx = (this.#drawn.x - this.camera.x) * this.camera.scale * this.camera.stretch;
    let dy = (this.#drawn.y - this.camera.y) * this.camera.scale;
    const isInside = Math.abs(dx) <= EDGE && Math.abs(dy) <= EDGE;
    const { scale, stretch } = this.#drawn;
    const isScaled = scale !== this.camera.scale || stretch !== this.camera.stretch;
    if (this.#isStale || !isInside || isScaled) {
      this.#draw();
      [dx, dy] = [0, 0];
    }
    this.#canvas.style.transform = `translate(${dx - EDGE}px, ${dy - EDGE}px)`;
  }

  #draw(): void {
    this.#isStale = false;
    const { x, y, scale, stretch } = this.camera;
    this.#drawn = { x, y, scale, stretch };
    const context = this.#canvas.getContext('2d')!;
    const { width, height } = this.#canvas;
    const ratio = width / (this.#width + 2 * EDGE);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(ratio, 0, 0, ratio, width / 2, height / 2);
    const places = new Map<string, Point>();
    for (const key of this.#layout.keys)
      places.set(key, this.camera.toScreen(this.#layout.placeOf(key)!));
    const style = getComputedStyle(this.#canvas);
    const color = (name: string) => style.getPropertyValue(`--${name}`);
    this.#drawLinks(context, places, color);
    this.#drawNodes(context, places, color);
  }

  #drawLinks(
    context: CanvasRenderingContext2D,
    places: ReadonlyMap<string, Point>,
    color: (name: string) => string,
  ): void {
    const most = MOST_LINKS * this.#nodes.length;
    const isDetailed = this.#links.length <= Math.min(MOST_ARROWS, most) || this.camera.scale > 1.2;
    const paleness = Math.min(1, Math.max(0.25, most / this.#links.length));
    const [halfWidth, halfHeight] = [this.#width / 2 + EDGE, this.#height / 2 + EDGE];
    for (const isFaint of [true, false])
      for (let weight = 0; weight <= 3; weight++) {
        context.strokeStyle = color(isFaint ? 'link-faint' : weight > 0 ? 'link-busy' : 'link');
        context.lineWidth = 1 + 0.7 * weight;
        context.globalAlpha = weight > 0 ? 1 : paleness;
        context.beginPath();
        let lines = 0;
        for (const link of this.#links) {
          if (link.weight !== weight || link.isFaint !== isFaint) continue;
          const [a, b] = [places.get(link.from), places.get(link.to)];
          if (a === undefined || b === undefined) continue;
          const isOutside =
            Math.min(a.x, b.x) > halfWidth ||
            Math.max(a.x, b.x) < -halfWidth ||
            Math.min(a.y, b.y) > halfHeight ||
            Math.max(a.y, b.y) < -halfHeight;
          if (isOutside) continue;
          context.moveTo(a.x, a.y);
          context.lineTo(b.x, b.y);
          if (isDetailed) addArrow(context, a, b);
          // Lines are stroked in batches, because one stroke of many lines takes more than linear
          // time.
          if (++lines % LINES_IN_STROKE === 0) {
            context.stroke();
            context.beginPath();
          }
        }
        context.stroke();
      }
    context.globalAlpha = 1;
  }

  #drawNodes(
    context: CanvasRenderingContext2D,
    places: ReadonlyMap<string, Point>,
    color: (name: string) => string,
  ): void {
    const isNarrow = this.#width < NARROW;
    const radius = this.#nodes.length > 200 ? 4 : isNarrow && this.#nodes.length > 20 ? 5 : 8;
    for (const { key, health, clients = 0 } of this.#nodes) {
      const place = places.get(key);
      if (place === undefined) continue;
      context.fillStyle = color(`health-${health}`);
      context.beginPath();
      context.arc(place.x, place.y, radius, 0, 2 * Math.PI);
      context.fill();
      if (key === this.#selected) {
        context.strokeStyle = color('text');
        context.lineWidth = 2;
        context.stroke();
      }
      if (clients > 0 && radius > 4) addClients(context, place, radius + 4, clients, color('text'));
    }
    this.#drawLabels(context, places, color, radius);
  }

  /** Draws the labels for which there is room: first those of nodes that need attention. */
  #drawLabels(
    context: CanvasRenderingContext2D,
    places: ReadonlyMap<string, Point>,
    color: (name: string) => string,
    radius: number,
  ): void {
    const hasLabels = this.#nodes.length <= MOST_LABELS || this.camera.scale > 2;
    const isNarrow = this.#width < NARROW;
    context.font = `${isNarrow ? 10 : 12}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    const isSelected = ({ key }: DrawnNode) => key === this.#selected;
    const rank = (node: DrawnNode) =>
      (isSelected(node) ? 1e6 : 0) + RANKS[node.health] * 1e4 + (node.degree ?? 0);
    const labels = this.#nodes
      .filter((node) => places.has(node.key) && (hasLabels || isSelected(node)))
      .sort((a, b) => rank(b) - rank(a))
      .map(({ key, title }) => {
        const text = labelOf(title, isNarrow ? 16 : 26);
        const { width } = context.measureText(text);
        return { text, ...places.get(key)!, width, height: isNarrow ? 12 : 14 };
      });
    const placed = placeLabels(labels, radius, this.#width, this.#height);
    this.#canvas.dataset['labels'] = String(placed.filter((place) => place !== undefined).length);
    // The outline separates the label from the links that cross it.
    context.strokeStyle = color('background');
    context.fillStyle = color('text');
    context.lineWidth = 4;
    for (const [i, place] of placed.entries()) {
      if (place === undefined) continue;
      context.strokeText(labels[i]!.text, place.x, place.y);
      context.fillText(labels[i]!.text, place.x, place.y);
    }
  }
}

/** Draws up to twelve clients around a node. */
function addClients(
  context: CanvasRenderingContext2D,
  { x, y }: Point,
  distance: number,
  clients: number,
  color: string,
): void {
  context.fillStyle = color;
  for (let i = 0; i < Math.min(clients, 12); i++) {
    const angle = ((i - 3) * Math.PI) / 6;
    context.beginPath();
    context.arc(
      x + distance * Math.cos(angle),
      y + distance * Math.sin(angle),
      1.5,
      0,
      2 * Math.PI,
    );
    context.fill();
  }
}

/** Adds the head of an arrow near the end of a line. */
function addArrow(context: CanvasRenderingContext2D, a: Point, b: Point): void {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = Math.hypot(dx, dy);
  if (length < 30) return;
  const [ux, uy] = [dx / length, dy / length];
  const [x, y] = [b.x - ux * 12, b.y - uy * 12];
  context.moveTo(x, y);
  context.lineTo(x - ux * 6 - uy * 3.5, y - uy * 6 + ux * 3.5);
  context.moveTo(x, y);
  context.lineTo(x - ux * 6 + uy * 3.5, y - uy * 6 - ux * 3.5);
}

/** Returns the end of a long title, because addresses differ there. */
function labelOf(title: string, most: number): string {
  const name = title.replace(/^[a-z]+:\/\//, '');
  return name.length > most ? `…${name.slice(1 - most)}` : name;
}

/** Pixels of the canvas beyond each side of its frame. */
const EDGE = 160;
/** The distance in pixels within which a click selects a node. */
const REACH = 14;
const LINES_IN_STROKE = 64;
/**
 * Maximum numbers of links with arrows and of nodes with labels, unless the picture is enlarged.
 */
const MOST_ARROWS = 800;
const MOST_LABELS = 200;
/** More links for each node than this are drawn pale, and without arrows. */
const MOST_LINKS = 4;
/** The width in pixels below which a picture has small nodes and short labels. */
const NARROW = 600;
/** The order in which nodes get their labels: those that need attention first. */
const RANKS: Readonly<Record<Health, number>> = {
  ...{ lost: 3, draining: 2, closing: 2, connecting: 2, up: 1, unwatched: 0 },
};

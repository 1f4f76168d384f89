// Draws the mesh: a circle for each node and a line for each link, with its latency.

import { colorOf, nameOf } from '../names.ts';
import type { MeshLink, MeshPicture } from '../picture.ts';
import { latencyOf } from './format.ts';
import { Layout } from './layout.ts';

const SVG = 'http://www.w3.org/2000/svg';
const RADIUS = 11;
/** With more links than this, only those of this node show their latency. */
const MOST_LABELS = 21;
/** Place of a latency on its link, as a part of its length. In the middle, two links may cross. */
const LABEL_AT = 0.43;

export class PictureView {
  readonly #self: string;
  readonly #links = group();
  readonly #labels = group();
  readonly #nodes = group();
  readonly #layout = new Layout();

  constructor(svg: Element, self: string) {
    this.#self = self;
    svg.append(this.#links, this.#labels, this.#nodes);
  }

  /** Draws the next step of the picture. Returns whether nodes still move. */
  draw(picture: MeshPicture): boolean {
    const nodes = picture.nodes();
    const links = picture.links();
    const moves = this.#layout.step(
      nodes.map(({ nodeId }) => nodeId),
      links.map(({ ends }) => ends),
    );
    reconcile(
      this.#links,
      'line',
      links,
      ({ key }) => key,
      (line, link) => this.#drawLine(line, link),
    );
    reconcile(
      this.#labels,
      'text',
      links.length > MOST_LABELS ? links.filter(({ ends }) => ends.includes(this.#self)) : links,
      ({ key }) => key,
      (text, link) => this.#drawLabel(text, link),
    );
    reconcile(
      this.#nodes,
      'g',
      nodes,
      ({ nodeId }) => nodeId,
      (element, node) => {
        const { x, y } = this.#layout.placeOf(node.nodeId);
        const isProcess = node.kind === 'process';
        if (element.childElementCount === 0) {
          element.append(
            document.createElementNS(SVG, 'rect'),
            document.createElementNS(SVG, 'text'),
          );
          set(element, { class: node.nodeId === this.#self ? 'node self' : 'node' });
        }
        const [shape, text] = element.children;
        // A process is a square, and a tab is a circle.
        set(shape!, {
          x: x - RADIUS,
          y: y - RADIUS,
          width: 2 * RADIUS,
          height: 2 * RADIUS,
          rx: isProcess ? 4 : RADIUS,
          fill: colorOf(node.hue),
        });
        // On the outer side, where fewer links pass.
        set(text!, { x, y: y < 0 ? y - 18 : y + 26 });
        text!.textContent = nameOf(node.nodeId);
      },
    );
    return moves;
  }

  #drawLine(line: Element, { ends: [one, other], path, isNeighbor }: MeshLink): void {
    const [from, to] = [this.#layout.placeOf(one), this.#layout.placeOf(other)];
    set(line, {
      class: path === undefined ? 'cut' : isNeighbor ? path : `${path} idle`,
      x1: from.x,
      y1: from.y,
      x2: to.x,
      y2: to.y,
    });
  }

  #drawLabel(text: Element, link: MeshLink): void {
    const [from, to] = [this.#layout.placeOf(link.ends[0]), this.#layout.placeOf(link.ends[1])];
    set(text, {
      class: 'rtt',
      x: from.x + (to.x - from.x) * LABEL_AT,
      y: from.y + (to.y - from.y) * LABEL_AT + 3.5,
    });
    text.textContent = link.isCut ? '✕' : latencyOf(link);
  }
}

/** Makes the children of an element those of a list, one for each key. */
function reconcile<T>(
  parent: Element,
  tag: string,
  items: readonly T[],
  keyOf: (item: T) => string,
  draw: (element: Element, item: T) => void,
): void {
  const old = new Map([...parent.children].map((child) => [child.getAttribute('data-key'), child]));
  for (const item of items) {
    const key = keyOf(item);
    let element = old.get(key);
    old.delete(key);
    if (element === undefined) {
      element = document.createElementNS(SVG, tag);
      set(element, { 'data-key': key });
      parent.append(element);
    }
    draw(element, item);
  }
  for (const element of old.values()) element.remove();
}

function group(): Element {
  return document.createElementNS(SVG, 'g');
}

function set(element: Element, attributes: Readonly<Record<string, string | number>>): void {
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, typeof value === 'number' ? value.toFixed(1) : value);
}

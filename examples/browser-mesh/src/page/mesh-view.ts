// The mesh on the screen: a picture of its nodes and links, and a list of the links with a button
// that cuts each.

import { colorOf, nameOf } from '../names.ts';
import type { Ends, MeshLink, MeshPicture } from '../picture.ts';
import type { Report } from '../protocol.ts';

/** The nodes stand on an ellipse around the middle of the picture, with these half axes. */
const [WIDTH, HEIGHT] = [145, 100];
const RADIUS = 11;
/** Place of a latency on its link, as a part of its length. In the middle, two links may cross. */
const LABEL_AT = 0.38;

type Place = readonly [x: number, y: number];

export class MeshView {
  readonly #picture: Element;
  readonly #list: Element;
  readonly #self: string;
  readonly #cut: (ends: Ends) => void;
  /** The rows of the list by their links. They stay, so that a click is not lost. */
  #rows = new Map<string, Element>();

  constructor(picture: Element, list: Element, self: string, cut: (ends: Ends) => void) {
    this.#picture = picture;
    this.#list = list;
    this.#self = self;
    this.#cut = cut;
  }

  draw(picture: MeshPicture): void {
    const nodes = [...picture.nodes].sort(([a], [b]) => (a < b ? -1 : 1));
    const places = new Map<string, Place>();
    for (const [at, [nodeId]] of nodes.entries()) {
      const angle = (2 * Math.PI * at) / nodes.length;
      places.set(nodeId, [WIDTH * Math.cos(angle), HEIGHT * Math.sin(angle)]);
    }
    const drawn = picture
      .links()
      .map((link) => drawLink(link, places.get(link.ends[0])!, places.get(link.ends[1])!));
    this.#picture.replaceChildren(
      ...drawn.map(([line]) => line),
      ...drawn.map(([, label]) => label),
      ...nodes.map(([nodeId, report]) => this.#drawNode(nodeId, report, places.get(nodeId)!)),
    );
    this.#drawList(picture.links());
  }

  #drawNode(nodeId: string, { kind }: Report, [x, y]: Place): Element {
    const node = svg('g', { class: nodeId === this.#self ? 'self' : '' });
    const size = { width: 2 * RADIUS, height: 2 * RADIUS };
    // A process is a square, and a tab is a circle.
    const rx = kind === 'process' ? 4 : RADIUS;
    const fill = colorOf(nodeId);
    const shape = svg('rect', { ...size, x: x - RADIUS, y: y - RADIUS, rx, fill });
    // The name stands on the outer side, where fewer links pass.
    node.append(shape, svg('text', { x, y: y < 0 ? y - 18 : y + 26 }, nameOf(nodeId)));
    return node;
  }

  #drawList(links: MeshLink[]): void {
    const rows = new Map<string, Element>();
    // This node's own links come first.
    const rank = ({ ends }: MeshLink) => `${ends.includes(this.#self) ? 0 : 1}${textOf(ends)}`;
    links.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    for (const [at, link] of links.entries()) {
      const key = link.ends.join();
      const row = this.#rows.get(key) ?? this.#newRow(link);
      rows.set(key, row);
      drawRow(row, link);
      if (this.#list.children[at] !== row)
        this.#list.insertBefore(row, this.#list.children[at] ?? null);
    }
    for (const [key, row] of this.#rows) if (!rows.has(key)) row.remove();
    this.#rows = rows;
  }

  /** Creates a row of the list: the color of the path, the ends, the latency, and the button. */
  #newRow({ ends }: MeshLink): Element {
    const row = document.createElement('li');
    const [, name, rtt, button] = ['i', 'span', 'span', 'button'].map((tag) =>
      row.appendChild(document.createElement(tag)),
    );
    row.dataset['own'] = String(ends.includes(this.#self));
    name!.className = 'ends';
    name!.textContent = name!.title = textOf(ends);
    rtt!.className = 'rtt';
    button!.textContent = 'Cut';
    button!.setAttribute('aria-label', `Cut the link ${textOf(ends)}`);
    button!.addEventListener('click', () => this.#cut(ends));
    return row;
  }
}

/** Describes a link by the names of its ends. */
export function textOf([one, other]: Ends): string {
  return `${nameOf(one)} – ${nameOf(other)}`;
}

function latencyOf({ report }: MeshLink): string {
  if (report === undefined) return 'cut';
  if (report.rtt === undefined) return '';
  return `${report.rtt < 10 ? report.rtt.toFixed(1) : Math.round(report.rtt)} ms`;
}

/** Returns the line of a link, and the label with its latency. */
function drawLink(link: MeshLink, [x1, y1]: Place, [x2, y2]: Place): readonly [Element, Element] {
  const path = link.report?.path ?? 'cut';
  const look = link.report?.isNeighbor === false ? `${path} idle` : path;
  const x = x1 + (x2 - x1) * LABEL_AT;
  const y = y1 + (y2 - y1) * LABEL_AT + 3.5;
  return [
    svg('line', { class: look, x1, y1, x2, y2 }),
    svg('text', { class: 'rtt', x, y }, latencyOf(link)),
  ];
}

function drawRow(row: Element, link: MeshLink): void {
  const [bar, , rtt, button] = row.children;
  bar!.className = link.report?.path ?? 'cut';
  row.setAttribute('data-state', link.report === undefined ? 'cut' : 'up');
  rtt!.textContent = latencyOf(link);
  (button as HTMLButtonElement).disabled = link.report === undefined;
}

/** Creates an element of the picture. */
function svg(tag: string, attributes: Readonly<Record<string, string | number>>, text = '') {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, typeof value === 'number' ? value.toFixed(1) : value);
  element.textContent = text;
  return element;
}

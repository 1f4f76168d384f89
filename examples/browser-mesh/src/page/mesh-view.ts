// The mesh on the screen: a picture of its nodes and links, and a list of the links with a button
// that cuts each.

import { colorOf, nameOf } from '../names.ts';
import type { Ends, MeshLink, MeshPicture } from '../picture.ts';
import type { Report } from '../protocol.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** The nodes stand on an ellipse around the middle of the picture, with these half axes. */
const [WIDTH, HEIGHT] = [145, 100];
const RADIUS = 11;
/** Place of a latency on its link, as a part of its length. In the middle, two links may cross. */
const LABEL_AT = 0.38;

interface Place {
  readonly x: number;
  readonly y: number;
}

export class MeshView {
  readonly #self: string;
  readonly #list: Element;
  readonly #cut: (ends: Ends) => void;
  readonly #lines = document.createElementNS(SVG, 'g');
  readonly #labels = document.createElementNS(SVG, 'g');
  readonly #nodes = document.createElementNS(SVG, 'g');

  constructor(picture: Element, list: Element, self: string, cut: (ends: Ends) => void) {
    this.#self = self;
    this.#list = list;
    this.#cut = cut;
    picture.append(this.#lines, this.#labels, this.#nodes);
  }

  draw(picture: MeshPicture): void {
    const { nodes } = picture;
    const ids = [...nodes.keys()].sort();
    const places = new Map<string, Place>();
    for (const [at, nodeId] of ids.entries()) {
      const angle = (2 * Math.PI * at) / ids.length;
      places.set(nodeId, { x: WIDTH * Math.cos(angle), y: HEIGHT * Math.sin(angle) });
    }
    const links = new Map([...picture.links()].sort(([, a], [, b]) => this.#order(a, b)));
    const placesOf = ({ ends: [from, to] }: MeshLink) =>
      [places.get(from)!, places.get(to)!] as const;
    reconcile(this.#lines, links, newLine, (line, link) => drawLine(line, link, ...placesOf(link)));
    reconcile(this.#labels, links, newText, (text, link) =>
      drawLabel(text, link, ...placesOf(link)),
    );
    const drawn = (node: Element, report: Report, nodeId: string) =>
      this.#drawNode(node, report, nodeId, places.get(nodeId)!);
    reconcile(this.#nodes, nodes, newNode, drawn);
    reconcile(this.#list, links, (link) => this.#newRow(link), drawRow);
  }

  #drawNode(node: Element, { kind }: Report, nodeId: string, { x, y }: Place): void {
    const [shape, text] = node.children;
    node.classList.toggle('self', nodeId === this.#self);
    // A process is a square, and a tab is a circle.
    const rx = kind === 'process' ? 4 : RADIUS;
    set(shape!, { x: x - RADIUS, y: y - RADIUS, rx, fill: colorOf(nodeId) });
    // On the outer side, where fewer links pass.
    set(text!, { x, y: y < 0 ? y - 18 : y + 26 });
    text!.textContent = nameOf(nodeId);
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

  /** Compares two links of the list: this node's own links come first. */
  #order(a: MeshLink, b: MeshLink): number {
    const rank = ({ ends }: MeshLink) => `${ends.includes(this.#self) ? 0 : 1}${textOf(ends)}`;
    return rank(a) < rank(b) ? -1 : 1;
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

function drawLine(line: Element, { report }: MeshLink, from: Place, to: Place): void {
  const idle = report?.isNeighbor === false ? ' idle' : '';
  set(line, { class: (report?.path ?? 'cut') + idle, x1: from.x, y1: from.y, x2: to.x, y2: to.y });
}

function drawLabel(text: Element, link: MeshLink, from: Place, to: Place): void {
  const x = from.x + (to.x - from.x) * LABEL_AT;
  const y = from.y + (to.y - from.y) * LABEL_AT + 3.5;
  set(text, { class: 'rtt', x, y });
  text.textContent = latencyOf(link);
}

function drawRow(row: Element, link: MeshLink): void {
  const [bar, , rtt, button] = row.children;
  bar!.className = link.report?.path ?? 'cut';
  row.setAttribute('data-state', link.report === undefined ? 'cut' : 'up');
  rtt!.textContent = latencyOf(link);
  (button as HTMLButtonElement).disabled = link.report === undefined;
}

function newLine(): Element {
  return document.createElementNS(SVG, 'line');
}

function newText(): Element {
  return document.createElementNS(SVG, 'text');
}

function newNode(): Element {
  const node = document.createElementNS(SVG, 'g');
  const shape = document.createElementNS(SVG, 'rect');
  set(shape, { width: 2 * RADIUS, height: 2 * RADIUS });
  node.append(shape, newText());
  return node;
}

/** Makes the children of an element those of a map, one for each key and in the same order. */
function reconcile<T>(
  parent: Element,
  items: ReadonlyMap<string, T>,
  create: (item: T) => Element,
  draw: (element: Element, item: T, key: string) => void,
): void {
  const old = new Map([...parent.children].map((child) => [child.getAttribute('data-key'), child]));
  let at = 0;
  for (const [key, item] of items) {
    const element = old.get(key) ?? create(item);
    old.delete(key);
    set(element, { 'data-key': key });
    draw(element, item, key);
    const there = parent.children[at++];
    if (there !== element) parent.insertBefore(element, there ?? null);
  }
  for (const element of old.values()) element.remove();
}

function set(element: Element, attributes: Readonly<Record<string, string | number>>): void {
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, typeof value === 'number' ? value.toFixed(1) : value);
}

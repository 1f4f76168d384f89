// The page: a node of the mesh, with its board, its picture of the mesh, and its list of links.

import './no-eval.ts';
import { systemClock } from 'trunkline';
import { colorOf, nameOf } from '../names.ts';
import { Participant } from '../participant.ts';
import type { Ends, MeshChange } from '../picture.ts';
import { BoardView } from './board-view.ts';
import { MeshView, textOf } from './mesh-view.ts';

/** Milliseconds between two drawings of the board, and of the mesh. */
const BOARD_INTERVAL = 33;
const MESH_INTERVAL = 200;
const MOST_EVENTS = 6;

// Every tab is a node of its own, with a new key each time it is loaded.
const self = new Participant({
  kind: 'page',
  site: location.origin.replace('http', 'ws'),
  changed: (change) => log(describe(change)),
});

const board = new BoardView(element('board') as HTMLCanvasElement, self);
const view = new MeshView(element('picture'), element('links'), self.nodeId, cut);

element('self').textContent = `you are ${nameOf(self.nodeId)}`;
element('self').style.borderColor = colorOf(self.nodeId);
addEventListener('pagehide', () => void self.close());
// A page that comes back by the browser's back button has been closed.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
repeat(BOARD_INTERVAL, () => board.draw());
repeat(MESH_INTERVAL, drawMesh);
self.start().catch((error: Error) => log(`Could not join: ${error.message}`));

function repeat(interval: number, draw: () => void): void {
  draw();
  systemClock.setTimeout(() => repeat(interval, draw), interval);
}

function drawMesh(): void {
  view.draw(self.picture);
  const nodes = [...self.picture.nodes.values()];
  const pages = nodes.filter(({ kind }) => kind === 'page').length;
  const links = self.picture.links().filter(({ report }) => report !== undefined);
  element('summary').textContent = [
    counted(pages, 'tab', 'tabs'),
    counted(nodes.length - pages, 'process', 'processes'),
    counted(links.length, 'link', 'links'),
    counted(self.board.size, 'stroke', 'strokes'),
  ].join(' · ');
  // The strokes that every node has.
  const strokes = Math.min(...nodes.map((node) => node.strokes));
  const figures = { nodes: nodes.length, links: links.length, strokes };
  for (const [name, figure] of Object.entries(figures))
    element('mesh').setAttribute(`data-${name}`, String(figure));
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Describes a change of the mesh in a sentence. */
function describe(change: MeshChange): string {
  if ('nodeId' in change) return `${nameOf(change.nodeId)} ${change.type}`;
  return `The link ${textOf(change.ends)} ${change.type === 'cut' ? 'was cut' : 'is back'}`;
}

async function cut(ends: Ends): Promise<void> {
  try {
    if (!(await self.cut(ends))) log(`The link ${textOf(ends)} is gone already`);
  } catch {
    log(`This tab can reach neither end of the link ${textOf(ends)}`);
  }
}

function log(text: string): void {
  const list = element('log');
  const item = document.createElement('li');
  item.textContent = text;
  list.prepend(item);
  while (list.children.length > MOST_EVENTS) list.lastElementChild!.remove();
}

function element(id: string): HTMLElement {
  return document.getElementById(id)!;
}

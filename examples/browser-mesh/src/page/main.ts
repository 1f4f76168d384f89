// The page: a node of the mesh, with its board, its picture of the mesh, and its list of links.

import './no-eval.ts';
import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { systemClock } from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import { createHubSignal } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { colorOf, nameOf } from '../names.ts';
import { Participant } from '../participant.ts';
import type { Ends } from '../picture.ts';
import { BoardView } from './board-view.ts';
import { counted, describe, endsOf } from './format.ts';
import { LinksView } from './links-view.ts';
import { PictureView } from './picture-view.ts';

/** Milliseconds between two frames. */
const FRAME = 33;
/** Frames between two updates of the texts. */
const TEXT_FRAMES = 6;
const MOST_EVENTS = 6;

const site = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`;
// Every tab is a node of its own, so it has a new key each time it is loaded.
const identity = createIdentity();
const signal = createHubSignal({
  address: `${site}/signal`,
  backends: [ws()],
  identity,
  relay: true,
});
const self = new Participant({
  kind: 'page',
  identity,
  listen: 'webrtc://0',
  backends: [webrtc({ signal, identity }), secured(ws(), { identity })],
  join: [`${site}/mesh`],
  changed(change) {
    log(describe(change));
    drawTexts();
  },
});

const mesh = element('mesh');
const board = new BoardView(element('board') as HTMLCanvasElement, self);
const picture = new PictureView(element('picture'), self.nodeId);
const links = new LinksView(element('links'), self.nodeId, (ends) => void cut(ends));

element('self').textContent = `you are ${nameOf(self.nodeId)}`;
addEventListener('pagehide', () => void self.close());
// A page that comes back by the browser's back button has been closed.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
drawFrame(0, true);
self.start().catch((error: Error) => log(`Could not join: ${error.message}`));

function drawFrame(number: number, wasMoving: boolean): void {
  board.draw();
  const isTextDue = number % TEXT_FRAMES === 0;
  const isMoving = (wasMoving || isTextDue) && picture.draw(self.picture);
  if (isTextDue) drawTexts();
  systemClock.setTimeout(() => drawFrame(number + 1, isMoving), FRAME);
}

function drawTexts(): void {
  const all = self.picture.links();
  links.draw(self.picture);
  element('self').style.borderColor = colorOf(self.picture.hueOf(self.nodeId) ?? 0);
  const nodes = self.picture.nodes();
  const pages = nodes.filter(({ kind }) => kind === 'page').length;
  const up = all.filter(({ isCut }) => !isCut).length;
  element('summary').textContent = [
    counted(pages, 'tab', 'tabs'),
    counted(nodes.length - pages, 'process', 'processes'),
    counted(up, 'link', 'links'),
    counted(self.board.size, 'stroke', 'strokes'),
  ].join(' · ');
  mesh.dataset['nodes'] = String(nodes.length);
  mesh.dataset['links'] = String(up);
  // The strokes that every node has.
  mesh.dataset['strokes'] = String(Math.min(...nodes.map(({ strokes }) => strokes)));
}

async function cut(ends: Ends): Promise<void> {
  try {
    if (!(await self.cut(ends))) log(`The link ${endsOf(ends)} is gone already`);
  } catch {
    log(`This tab can reach neither end of the link ${endsOf(ends)}`);
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

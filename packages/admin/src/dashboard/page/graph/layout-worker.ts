// The worker that lays out the graph: nodes repel each other, and links pull them together.

import {
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type Simulation,
  type SimulationLinkDatum,
  type SimulationNodeDatum,
} from 'd3-force';
import type { LayoutReply, LayoutRequest } from './layout-messages.ts';

interface Place extends SimulationNodeDatum {
  readonly key: string;
}

/** The part of a worker's global scope that is used. */
interface Scope {
  onmessage: ((event: { readonly data: LayoutRequest }) => void) | null;
  postMessage(reply: LayoutReply, transfer: readonly ArrayBuffer[]): void;
}

const scope = globalThis as unknown as Scope;
const known = new Map<string, Place>();
let simulation: Simulation<Place, SimulationLinkDatum<Place>> | undefined;
let requests = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

scope.onmessage = ({ data: { keys, links } }) => {
  requests++;
  const isNew = simulation === undefined;
  const places = keys.map((key) => known.get(key) ?? { key });
  known.clear();
  for (const place of places) known.set(place.key, place);
  simulation?.stop();
  simulation = forceSimulation(places)
    .stop()
    .force('charge', forceManyBody<Place>().strength(-90).distanceMax(700).theta(1))
    .force(
      'link',
      forceLink<Place, SimulationLinkDatum<Place>>(
        links.map(([source, target]) => ({ source, target })),
      ).distance(70),
    )
    .force('x', forceX<Place>().strength(0.05))
    .force('y', forceY<Place>().strength(0.05))
    // A graph that is already laid out moves less when it changes.
    .alpha(isNew ? 1 : 0.3)
    .alphaDecay(0.035);
  clearTimeout(timer);
  step();
};

/** Moves the nodes a little, reports their places, and continues until they stop moving. */
function step(): void {
  if (simulation === undefined) return;
  simulation.tick(STEPS);
  const nodes = simulation.nodes();
  const places = new Float32Array(2 * nodes.length);
  for (const [i, { x = 0, y = 0 }] of nodes.entries()) {
    places[2 * i] = x;
    places[2 * i + 1] = y;
  }
  scope.postMessage({ request: requests, places }, [places.buffer]);
  if (simulation.alpha() > simulation.alphaMin()) timer = setTimeout(step, PAUSE);
}

/** The number of steps between two reports, and the pause after them in milliseconds. */
const STEPS = 2;
const PAUSE = 16;

// The view of the network: nodes and links as a picture and as tables.

import { useMemo } from 'preact/hooks';
import { callRate } from '../../model/calls.ts';
import { duration, number, size } from '../../model/format.ts';
import { type Graph, graphOf, type Health, type Link, type Vertex } from '../../model/graph.ts';
import { own } from '../../model/own.ts';
import { titleOf } from '../../model/titles.ts';
import type { NetworkState } from '../../network-state.ts';
import { GraphCanvas } from '../graph/graph-canvas.ts';
import { html } from '../html.ts';
import { HealthMark } from './health-mark.ts';
import { type Column, Table } from './table.ts';
import type { ViewProperties } from './view.ts';

export function NetworkView({ session, network, before, node }: ViewProperties) {
  const graph = useMemo(() => graphOf(network, before), [network, before]);
  const links = useMemo(() => drawn(graph), [graph]);
  const choose = (key: string | undefined) => {
    const isWatched = key !== undefined && own(network.nodes, key) !== undefined;
    session.select(isWatched ? key : undefined);
  };
  const shown = (all: readonly Link[]) => (node === undefined ? all : all.filter(isAt(node)));
  const of = node === undefined ? '' : ` of ${titleOf(network, node)}`;
  return html`
    <section class="picture" data-links=${graph.links.length}>
      <${GraphCanvas}
        label=${`${number(graph.vertices.length)} nodes, ${number(graph.links.length)} links and ${number(graph.clients.length)} links of clients`}
        nodes=${graph.vertices}
        links=${links}
        selected=${node}
        choose=${choose}
      />
      <${Legend} />
    </section>
    <section>
      <${Table}
        caption="Nodes"
        columns=${nodeColumns(network, before, (key) => session.select(key))}
        rows=${graph.vertices}
        keyOf=${({ key }: Vertex) => key}
        empty="No nodes yet."
      />
    </section>
    <section>
      <${Table}
        caption=${`Links${of}`}
        columns=${LINK_COLUMNS}
        rows=${shown(graph.links)}
        keyOf=${({ key }: Link) => key}
        empty="No links."
        sort="Bytes/s"
      />
    </section>
    <section>
      <${Table}
        caption=${`Clients${of}`}
        columns=${LINK_COLUMNS}
        rows=${shown(graph.clients)}
        keyOf=${({ key }: Link) => key}
        empty="No clients."
        sort="Bytes/s"
      />
    </section>
  `;
}

function isAt(node: string): (link: Link) => boolean {
  return ({ from, to }) => from === node || to === node;
}

/** Returns the links with their widths: one step for each power of ten from 1 kB a second. */
function drawn({ links }: Graph) {
  return links.map(({ from, to, there, back, state }) => ({
    from,
    to,
    weight: Math.min(3, Math.max(0, Math.floor(Math.log10(Math.max(1, there + back)) - 2))),
    isFaint: state !== 'up',
  }));
}

function nodeColumns(
  network: NetworkState,
  before: NetworkState | undefined,
  select: (key: string) => void,
): Column<Vertex>[] {
  const stateOf = (key: string) => own(network.nodes, key)?.state;
  const errorsOf = (key: string) =>
    Object.values(stateOf(key)?.errors ?? {}).reduce((sum, { count }) => sum + count, 0);
  const rateOf = (key: string) => {
    const state = stateOf(key);
    return state === undefined ? undefined : callRate(state, own(before?.nodes, key)?.state);
  };
  return [
    {
      title: 'Name',
      value: ({ title }) => title,
      cell: ({ key, title, health }) =>
        health === 'unwatched'
          ? html`<span title=${key}>${title}</span>`
          : html`<button type="button" class="link" title=${key} onClick=${() => select(key)}>
              ${title}
            </button>`,
    },
    {
      title: 'Health',
      value: ({ health }) => health,
      cell: ({ key, health }) =>
        html`<${HealthMark} health=${health} /> ${own(network.nodes, key)?.error ?? ''}`,
    },
    { title: 'Links', value: ({ degree }) => degree },
    { title: 'Clients', value: ({ clients }) => clients },
    {
      title: 'Calls/s',
      value: ({ key }) => rateOf(key),
      cell: ({ key }) => {
        const rate = rateOf(key);
        return rate === undefined ? '–' : number(rate);
      },
    },
    { title: 'Total errors', value: ({ key }) => errorsOf(key) },
    {
      title: 'Memory',
      value: ({ key }) => stateOf(key)?.totals.memory,
      cell: ({ key }) => size(stateOf(key)?.totals.memory),
    },
  ];
}

const LINK_COLUMNS: readonly Column<Link>[] = [
  { title: 'From', value: ({ titles }) => titles.from },
  { title: 'To', value: ({ titles }) => titles.to },
  { title: 'State', value: ({ state }) => state },
  { title: 'RTT', value: ({ rtt }) => rtt, cell: ({ rtt }) => duration(rtt) },
  {
    title: 'Bytes/s',
    value: ({ there, back }) => there + back,
    cell: ({ there, back }) => `${size(there)} → ${size(back)} ←`,
  },
  { title: 'Bytes', value: ({ total }) => total, cell: ({ total }) => size(total) },
  { title: 'Connections', value: ({ connections }) => connections },
];

function Legend() {
  const all: readonly Health[] = ['up', 'draining', 'closing', 'connecting', 'lost', 'unwatched'];
  return html`<p class="legend">
    ${all.map((health) => html`<${HealthMark} health=${health} key=${health} />`)}
    <span>An arrow points to the node that was dialed; busy links are wider. Small dots around a node are
      its clients.</span>
  </p>`;
}

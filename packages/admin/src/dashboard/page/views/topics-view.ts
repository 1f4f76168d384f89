// The view of topics: what each node sends and loses, and the tree of one topic.

import { useMemo, useState } from 'preact/hooks';
import { number, size } from '../../model/format.ts';
import type { Health } from '../../model/graph.ts';
import { healthOf } from '../../model/graph.ts';
import { own } from '../../model/own.ts';
import { type TopicRow, topicLinks, topicRows } from '../../model/rows.ts';
import { titleOf } from '../../model/titles.ts';
import { GraphCanvas } from '../graph/graph-canvas.ts';
import { html } from '../html.ts';
import { type Column, Table } from './table.ts';
import type { ViewProperties } from './view.ts';

export function TopicsView({ session, network, node }: ViewProperties) {
  const [chosen, choose] = useState<string | undefined>(undefined);
  const rows = useMemo(() => topicRows(network, node), [network, node]);
  const topic = rows.find(({ key }) => key === chosen) ?? rows[0];
  const columns: readonly Column<TopicRow>[] = [
    {
      title: 'Topic',
      value: (row) => row.topic,
      cell: (row) => html`<button
        type="button"
        class="link"
        aria-pressed=${row.key === topic?.key}
        onClick=${() => choose(row.key)}
      >
        ${row.topic}
      </button>`,
    },
    ...COLUMNS,
  ];
  return html`
    <section>
      <${Table}
        caption="Topics"
        columns=${columns}
        rows=${rows}
        keyOf=${({ node: name, key }: TopicRow) => `${name}\n${key}`}
        empty="No node has topics of gossip."
      />
    </section>
    ${
      topic !== undefined &&
      html`<${Tree} session=${session} network=${network} topic=${topic} node=${node} />`
    }
  `;
}

const COLUMNS: readonly Column<TopicRow>[] = [
  { title: 'Node', value: ({ title }) => title },
  { title: 'Overlay', value: ({ overlay }) => overlay },
  { title: 'Neighbors', value: ({ neighbors }) => neighbors.length },
  { title: 'Published', value: ({ published }) => published },
  { title: 'Delivered', value: ({ delivered }) => delivered },
  { title: 'Duplicates', value: ({ duplicates }) => duplicates },
  {
    title: 'Dropped',
    value: ({ lost }) => lost,
    cell: ({ lost, dropped }) =>
      html`<span title=${JSON.stringify(dropped)}>${number(lost)}</span>`,
  },
  { title: 'Missed', value: ({ missed }) => missed },
  {
    title: 'Waiting',
    value: ({ waiting }) => waiting,
    cell: ({ waiting, bytes }) => `${number(waiting)} (${size(bytes)})`,
  },
];

interface TreeProperties {
  readonly session: ViewProperties['session'];
  readonly network: ViewProperties['network'];
  readonly topic: TopicRow;
  readonly node: string | undefined;
}

/** The picture of a topic: eager links form the tree. */
function Tree({ session, network, topic, node }: TreeProperties) {
  const links = useMemo(() => topicLinks(network, topic.key), [network, topic.key]);
  const [nodes, drawn] = useMemo(() => {
    const keys = [...new Set(links.flatMap(({ from, to }) => [from, to]))];
    const health = (key: string): Health => {
      const watched = own(network.nodes, key);
      return watched === undefined ? 'unwatched' : healthOf(watched);
    };
    return [
      keys.map((key) => ({ key, title: titleOf(network, key), health: health(key) })),
      links.map(({ from, to, eager }) => ({ from, to, weight: eager ? 1 : 0, isFaint: !eager })),
    ];
  }, [links, network]);
  const choose = (key: string | undefined) =>
    session.select(key !== undefined && own(network.nodes, key) ? key : undefined);
  return html`
    <section class="picture small">
      <h2>${topic.topic} <small>${topic.overlay}</small></h2>
      <${GraphCanvas}
        label=${`The tree of ${topic.topic}: ${number(nodes.length)} nodes`}
        nodes=${nodes}
        links=${drawn}
        selected=${node}
        choose=${choose}
      />
      <p class="legend">Strong links pass messages on at once; faint ones only announce them.</p>
    </section>
    <section>
      <${Table}
        caption="Neighbors"
        columns=${linkColumns(network)}
        rows=${links}
        keyOf=${({ from, to }: { from: string; to: string }) => `${from}\n${to}`}
        empty="No neighbors."
      />
    </section>
  `;
}

function linkColumns(
  network: ViewProperties['network'],
): readonly Column<ReturnType<typeof topicLinks>[number]>[] {
  return [
    { title: 'From', value: ({ from }) => titleOf(network, from) },
    { title: 'To', value: ({ to }) => titleOf(network, to) },
    { title: 'Sends', value: ({ eager }) => (eager ? 'messages' : 'announcements') },
  ];
}

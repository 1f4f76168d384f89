// The view of queues and limits: how full they are.

import { number, shortName, size } from '../../model/format.ts';
import { type QueueRow, queueRows } from '../../model/rows.ts';
import { html } from '../html.ts';
import { type Column, Table } from './table.ts';
import type { ViewProperties } from './view.ts';

export function QueuesView({ network, node }: ViewProperties) {
  return html`<section>
    <${Table}
      caption="Queues and limits"
      columns=${COLUMNS}
      rows=${queueRows(network, node)}
      keyOf=${(row: QueueRow) => `${row.node}\n${row.what}`}
      empty="No queues."
      sort="Full"
    />
    <p class="legend">
      All messages that a node holds share its limit of memory (limits.memory). Queues of
      connections are listed while they are not empty.
    </p>
  </section>`;
}

const COLUMNS: readonly Column<QueueRow>[] = [
  { title: 'Node', value: ({ node }) => node, cell: ({ node }) => shortName(node) },
  { title: 'Queue', value: ({ what }) => what },
  {
    title: 'Waiting',
    value: ({ count }) => count,
    cell: ({ count }) => (count === undefined ? '–' : number(count)),
  },
  { title: 'Bytes', value: ({ bytes }) => bytes, cell: ({ bytes }) => size(bytes) },
  {
    title: 'Full',
    value: ({ share }) => share,
    cell: ({ share, node, what }) =>
      share === undefined
        ? '–'
        : html`<meter
              min="0"
              max="1"
              high="0.8"
              value=${share}
              aria-label=${`${what} of ${node}`}
            ></meter>
            ${` ${(100 * share).toFixed(1)} %`}`,
  },
  { title: 'Missed', value: ({ missed }) => missed },
];

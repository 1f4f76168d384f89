// The view of queues and limits: how full they are.

import { number, size } from '../../model/format.ts';
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
      Queues of connections are listed while they are not empty. Their limits (limits.calls,
      limits.inbound, limits.outbound) hold for each channel, and the bar shows the fullest one.
    </p>
  </section>`;
}

const COLUMNS: readonly Column<QueueRow>[] = [
  { title: 'Node', value: ({ title }) => title },
  { title: 'Queue or limit', value: ({ what }) => what },
  {
    title: 'In use',
    value: ({ count }) => count,
    cell: ({ count, most }) => amount(count, most, number),
  },
  {
    title: 'Bytes',
    value: ({ bytes }) => bytes,
    cell: ({ bytes, mostBytes }) => amount(bytes, mostBytes, size),
  },
  {
    title: 'Full',
    value: ({ share }) => share,
    cell: ({ share, title, what }) =>
      share === undefined
        ? '–'
        : html`<meter
              min="0"
              max="1"
              high="0.8"
              value=${share}
              aria-label=${`${what} of ${title}`}
            ></meter>
            ${` ${(100 * share).toFixed(1)} %`}`,
  },
  { title: 'Missed', value: ({ missed }) => missed },
];

/** Returns an amount with its limit: '12 of 4,096'. */
function amount(
  used: number | undefined,
  most: number | undefined,
  format: (value: number) => string,
): string {
  if (used === undefined) return '–';
  return most === undefined ? format(used) : `${format(used)} of ${format(most)}`;
}

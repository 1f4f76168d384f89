// The view of peers: the connected peers of each node, with scores and states.

import { duration, shortName } from '../../model/format.ts';
import { type PeerRow, peerRows } from '../../model/rows.ts';
import { html } from '../html.ts';
import type { Session } from '../session.ts';
import { type Column, Table } from './table.ts';
import type { ViewProperties } from './view.ts';

export function PeersView({ session, network, node }: ViewProperties) {
  return html`<section>
    <${Table}
      caption="Peers"
      columns=${network.readonly ? COLUMNS : [...COLUMNS, ban(session)]}
      rows=${peerRows(network, node)}
      keyOf=${(row: PeerRow) => `${row.node}\n${row.nodeId}`}
      empty="No node has peers."
    />
  </section>`;
}

const COLUMNS: readonly Column<PeerRow>[] = [
  { title: 'Node', value: ({ title }) => title },
  {
    title: 'Peer',
    value: ({ nodeId }) => nodeId,
    cell: ({ nodeId }) => html`<span title=${nodeId}>${shortName(nodeId)}</span>`,
  },
  { title: 'Id', value: ({ proven }) => (proven ? 'proven' : 'asserted') },
  { title: 'State', value: ({ state }) => state },
  { title: 'Direction', value: ({ direction }) => direction },
  { title: 'Score', value: ({ score }) => score },
  { title: 'RTT', value: ({ rtt }) => rtt, cell: ({ rtt }) => duration(rtt) },
  { title: 'Address', value: ({ addr }) => addr },
  { title: 'Kept', value: ({ persistent }) => (persistent ? 'yes' : 'no') },
  {
    title: 'Status',
    value: ({ status }) => (status === undefined ? undefined : JSON.stringify(status)),
    cell: ({ status }) =>
      status === undefined ? '–' : html`<code>${JSON.stringify(status).slice(0, 120)}</code>`,
  },
];

function ban(session: Session): Column<PeerRow> {
  return {
    title: 'Change',
    value: () => undefined,
    cell: ({ node, title, nodeId }) => html`<button
      type="button"
      onClick=${() =>
        confirm(`Ban ${nodeId} from ${title} for 24 hours?`) &&
        session.change(node, 'ban', { nodeId, reason: 'banned in the dashboard' })}
    >
      Ban
    </button>`,
  };
}

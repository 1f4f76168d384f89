// The view of one node: its facts, its connections, and its whole state as JSON.

import type { NodeConnectionState, NodeState } from '../../../state/node-state.ts';
import { duration, number, size } from '../../model/format.ts';
import { healthOf, peerName } from '../../model/graph.ts';
import { own } from '../../model/own.ts';
import { titleOf } from '../../model/titles.ts';
import type { NetworkState, WatchedNode } from '../../network-state.ts';
import { html } from '../html.ts';
import type { Session } from '../session.ts';
import { HealthMark } from './health-mark.ts';
import { type Column, Table } from './table.ts';
import type { ViewProperties } from './view.ts';

export function NodeView({ session, network, node }: ViewProperties) {
  const name = node ?? Object.keys(network.nodes)[0];
  const watched = name === undefined ? undefined : own(network.nodes, name);
  if (name === undefined || watched === undefined)
    return html`<p class="empty">No node has this name.</p>`;
  const { state } = watched;
  return html`
    <section>
      <h2>${titleOf(network, name)} <${HealthMark} health=${healthOf(watched)} /></h2>
      ${watched.error !== undefined && html`<p class="error">${watched.error}</p>`}
      ${state !== undefined && html`<${Facts} state=${state} />`}
      ${
        !network.readonly &&
        state !== undefined &&
        html`<${Changes} session=${session} name=${name} watched=${watched} />`
      }
    </section>
    ${
      state !== undefined &&
      html`
        <section>
          <${Table}
            caption="Connections"
            columns=${connectionColumns(session, network, name, state)}
            rows=${Object.entries(state.connections)}
            keyOf=${([id]: [string, NodeConnectionState]) => id}
            empty="No connections."
          />
        </section>
        <section>
          <h2>Snapshot</h2>
          <pre tabindex="0" role="region" aria-label="Snapshot">${jsonOf(state)}</pre>
        </section>
      `
    }
  `;
}

function Facts({ state: { node, totals, limits, at } }: { readonly state: NodeState }) {
  const facts: readonly (readonly [string, string])[] = [
    ['Name', node.name ?? '–'],
    ['Node id', node.nodeId ?? '–'],
    ['Version', node.version],
    ['Network', node.network],
    ['Addresses', node.addresses.join(', ') || '–'],
    [
      'Protocols',
      Object.entries(node.protocols)
        .map(([protocol, { version }]) => `${protocol} ${version}`)
        .join(', '),
    ],
    ['Received', size(totals.received)],
    ['Sent', size(totals.sent)],
    ['Calls made', number(totals.made)],
    ['Calls served', number(totals.served)],
    ['Memory', `${size(totals.memory)} of ${size(limits.memory)}`],
    ['Level of the log', node.logLevel ?? '–'],
    ['Clock', duration(at)],
  ];
  return html`<dl>
    ${facts.map(([title, text]) => html`<div key=${title}><dt>${title}</dt><dd>${text}</dd></div>`)}
  </dl>`;
}

interface ChangesProperties {
  readonly session: Session;
  readonly name: string;
  readonly watched: WatchedNode;
}

/** Buttons that change the node. */
function Changes({ session, name, watched }: ChangesProperties) {
  const node = watched.state!.node;
  if (node.readonly) return html`<p class="empty">This node lets tools only read.</p>`;
  const drain = () =>
    confirm(`Take ${name} out of service? This can't be undone.`) &&
    session.change(name, 'drain', {});
  const setLevel = ({ currentTarget }: { readonly currentTarget: HTMLSelectElement }) =>
    session.change(name, 'logLevel', { level: currentTarget.value });
  return html`<p class="changes">
    <button type="button" onClick=${drain}>Drain</button>
    ${
      node.logLevel !== undefined &&
      html`<label>
        Level of the log
        <select value=${node.logLevel} onChange=${setLevel}>
          ${['debug', 'info', 'warn', 'error'].map(
            (level) => html`<option value=${level}>${level}</option>`,
          )}
        </select>
      </label>`
    }
  </p>`;
}

function connectionColumns(
  session: Session,
  network: NetworkState,
  name: string,
  { at, node }: NodeState,
): readonly Column<[string, NodeConnectionState]>[] {
  const columns: readonly Column<[string, NodeConnectionState]>[] = [
    { title: 'Connection', value: ([id]) => id },
    { title: 'Peer', value: ([, each]) => titleOf(network, peerName(network, each)) },
    { title: 'State', value: ([, { state }]) => state },
    { title: 'Endpoint', value: ([, { endpoint }]) => endpoint },
    { title: 'RTT', value: ([, { rtt }]) => rtt, cell: ([, { rtt }]) => duration(rtt) },
    {
      title: 'Age',
      value: ([, { since }]) => at - since,
      cell: ([, { since }]) => duration(at - since),
    },
    {
      title: 'Received',
      value: ([, { bytes }]) => bytes.in,
      cell: ([, { bytes }]) => size(bytes.in),
    },
    {
      title: 'Sent',
      value: ([, { bytes }]) => bytes.out,
      cell: ([, { bytes }]) => size(bytes.out),
    },
    { title: 'Calls in', value: ([, { calls }]) => calls.in },
    { title: 'Calls out', value: ([, { calls }]) => calls.out },
    { title: 'Streams', value: ([, { streams }]) => streams },
  ];
  if (network.readonly || node.readonly) return columns;
  const disconnect: Column<[string, NodeConnectionState]> = {
    title: 'Change',
    value: () => undefined,
    cell: ([id]) => html`<button
      type="button"
      onClick=${() =>
        session.change(name, 'disconnect', { connection: id, reason: 'closed in the dashboard' })}
    >
      Disconnect
    </button>`,
  };
  return [...columns, disconnect];
}

/** Returns a state as JSON of at most 200,000 characters. */
function jsonOf(state: NodeState): string {
  const text = JSON.stringify(state, undefined, 2);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}\n…` : text;
}

const LONGEST = 200_000;

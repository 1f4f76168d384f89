// The frame of the page: the heading, the navigation, the current view, and the time slider.

import type { VNode } from 'preact';
import { number } from '../model/format.ts';
import { healthOf } from '../model/graph.ts';
import { titleOf } from '../model/titles.ts';
import type { NetworkState } from '../network-state.ts';
import { html } from './html.ts';
import { type Session, VIEWS, type View } from './session.ts';
import { TimeLine } from './time-line.ts';
import { TokenForm } from './token-form.ts';
import { CallsView } from './views/calls-view.ts';
import { CompareView } from './views/compare-view.ts';
import { ErrorsView } from './views/errors-view.ts';
import { GuardedView } from './views/guarded-view.ts';
import { NetworkView } from './views/network-view.ts';
import { NodeView } from './views/node-view.ts';
import { PeersView } from './views/peers-view.ts';
import { QueuesView } from './views/queues-view.ts';
import { TopicsView } from './views/topics-view.ts';
import type { ViewProperties } from './views/view.ts';

/** The whole page. */
export function App({ session }: { readonly session: Session }) {
  const { status, moment, view } = session;
  if (status.kind === 'refused') return html`<${TokenForm} session=${session} />`;
  const { nodes = {} } = moment?.network ?? {};
  const up = Object.values(nodes).filter((each) => healthOf(each) === 'up').length;
  const all = Object.keys(nodes).length;
  return html`
    <header>
      <h1>Trunkline</h1>
      <p class="status ${status.kind}" role="status">
        <span class="dot" aria-hidden="true"></span>${session.isLive ? status.text : 'paused'}
      </p>
      <p class="summary">${number(up)} of ${number(all)} nodes up</p>
      <${NodeChoice} session=${session} network=${moment?.network} />
    </header>
    <nav aria-label="Views">
      ${VIEWS.map(
        (name) =>
          html`<a href=${`#/${name}`} aria-current=${name === view ? 'page' : undefined}>
            ${TITLES[name]}
          </a>`,
      )}
      <a href="/replay" target="_blank">Replay</a>
    </nav>
    <main
      data-nodes=${all}
      data-up=${up}
      data-view=${view}
      data-moments=${session.history.moments.length}
    >
      ${
        moment === undefined
          ? html`<p class="empty">Waiting for the first state…</p>`
          : html`<${GuardedView}
              key=${view}
              view=${COMPONENTS[view]}
              session=${session}
              network=${moment.network}
              before=${session.before?.network}
              node=${session.node}
            />`
      }
      <p class="notice" role="status">${session.notice}</p>
    </main>
    <${TimeLine} session=${session} />
  `;
}

interface NodeChoiceProperties {
  readonly session: Session;
  readonly network: NetworkState | undefined;
}

function NodeChoice({ session, network }: NodeChoiceProperties) {
  const choose = ({ currentTarget }: { readonly currentTarget: HTMLSelectElement }) =>
    session.select(currentTarget.value === '' ? undefined : currentTarget.value);
  return html`<div class="choice">
    <label for="node">Node</label>
    <select id="node" onChange=${choose} value=${session.node ?? ''}>
      <option value="">all nodes</option>
      ${Object.keys(network?.nodes ?? {}).map(
        (key) => html`<option value=${key} key=${key}>${titleOf(network!, key)}</option>`,
      )}
    </select>
  </div>`;
}

const TITLES: Readonly<Record<View, string>> = {
  network: 'Network',
  calls: 'Calls',
  topics: 'Topics',
  peers: 'Peers',
  queues: 'Queues',
  errors: 'Errors',
  node: 'Node',
  compare: 'Compare',
};

type Component = (properties: ViewProperties) => VNode | VNode[];
const COMPONENTS: Readonly<Record<View, Component>> = {
  network: NetworkView,
  calls: CallsView,
  topics: TopicsView,
  peers: PeersView,
  queues: QueuesView,
  errors: ErrorsView,
  node: NodeView,
  compare: CompareView,
};

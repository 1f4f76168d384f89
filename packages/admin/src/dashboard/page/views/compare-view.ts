// The view that compares two moments: the marked one and the shown one.

import { useMemo } from 'preact/hooks';
import { type Change, changesBetween } from '../../model/changes.ts';
import { duration, number } from '../../model/format.ts';
import { titleOf } from '../../model/titles.ts';
import type { NetworkState } from '../../network-state.ts';
import { html } from '../html.ts';
import { type Column, Table } from './table.ts';
import type { ViewProperties } from './view.ts';

export function CompareView({ session, network, node }: ViewProperties) {
  const { marked, moment, index } = session;
  const other = marked?.network;
  const result = useMemo(
    () => (other === undefined ? undefined : changesBetween(...ordered(other, network), node)),
    [other, network, node],
  );
  if (marked === undefined || moment === undefined || result === undefined)
    return html`<section>
      <h2>Compare two moments</h2>
      <p>Mark a moment, then move the time to another one.</p>
      <button type="button" onClick=${() => session.mark(index)}>Mark this moment</button>
    </section>`;
  const apart = duration(Math.abs(moment.at - marked.at));
  return html`<section>
    <${Table}
      caption=${`Changes in ${apart}`}
      columns=${columns(network)}
      rows=${result.changes}
      keyOf=${({ path }: Change) => path.join('\n')}
      empty="The two moments are equal."
    />
    ${result.omitted > 0 && html`<p class="empty">${number(result.omitted)} changes are left out.</p>`}
    <button type="button" onClick=${() => session.mark(undefined)}>Remove the mark</button>
  </section>`;
}

/** Returns two moments in the order of time. */
function ordered<T extends { readonly at: number }>(a: T, b: T): [T, T] {
  return a.at <= b.at ? [a, b] : [b, a];
}

function columns(network: NetworkState): readonly Column<Change>[] {
  return [
    { title: 'Node', value: ({ path }) => titleOf(network, path[0] ?? '') },
    {
      title: 'Value',
      value: ({ path }) => (path[1] === 'state' ? path.slice(2) : path.slice(1)).join(' › '),
    },
    { title: 'Before', value: ({ before }) => before },
    { title: 'After', value: ({ after }) => after },
    {
      title: 'Difference',
      value: ({ difference }) => difference,
      cell: ({ difference }) =>
        difference === undefined ? '–' : `${difference > 0 ? '+' : ''}${number(difference)}`,
    },
  ];
}

// The view of calls: the methods, and the rate and latencies of one of them.

import { useMemo, useState } from 'preact/hooks';
import { type CallRow, callRows } from '../../model/calls.ts';
import { duration, number } from '../../model/format.ts';
import type { Moment } from '../../model/history.ts';
import { Chart } from '../chart.ts';
import { html } from '../html.ts';
import { type Column, Table } from './table.ts';
import type { ViewProperties } from './view.ts';

export function CallsView({ session, network, before, node }: ViewProperties) {
  const [chosen, choose] = useState<string | undefined>(undefined);
  const [all, showAll] = useState(false);
  const rows = useMemo(() => callRows(network, before, node, all), [network, before, node, all]);
  const busiest = [...rows].sort((a, b) => b.rate - a.rate || b.total - a.total)[0];
  const row = rows.find(({ key }) => key === chosen) ?? busiest;
  const columns: readonly Column<CallRow>[] = [
    {
      title: 'Method',
      value: ({ method }) => method,
      cell: ({ key, method }) => html`<button
        type="button"
        class="link"
        aria-pressed=${key === row?.key}
        onClick=${() => choose(key)}
      >
        ${method}
      </button>`,
    },
    ...COLUMNS,
  ];
  return html`
    <section>
      <${Table}
        caption="Calls by method"
        columns=${columns}
        rows=${rows}
        keyOf=${({ key }: CallRow) => key}
        empty="No calls yet."
        sort="Calls/s"
      />
      <label class="check">
        <input type="checkbox" checked=${all} onChange=${() => showAll(!all)} />
        Trunkline's own protocols, too
      </label>
    </section>
    ${row !== undefined && html`<${Method} session=${session} row=${row} node=${node} />`}
  `;
}

const COLUMNS: readonly Column<CallRow>[] = [
  { title: 'Side', value: ({ side }) => side },
  { title: 'Calls/s', value: ({ rate }) => rate, cell: ({ rate }) => number(rate) },
  {
    title: 'Errors/s',
    value: ({ errorRate }) => errorRate,
    cell: ({ errorRate }) => number(errorRate),
  },
  {
    title: 'Canceled/s',
    value: ({ cancelRate }) => cancelRate,
    cell: ({ cancelRate }) => number(cancelRate),
  },
  { title: 'p50', value: ({ p50 }) => p50, cell: ({ p50 }) => duration(p50) },
  { title: 'p99', value: ({ p99 }) => p99, cell: ({ p99 }) => duration(p99) },
  { title: 'Active', value: ({ active }) => active },
  { title: 'Total', value: ({ total }) => total, cell: ({ total }) => number(total) },
  { title: 'Nodes', value: ({ nodes }) => nodes },
];

interface MethodProperties {
  readonly session: ViewProperties['session'];
  readonly row: CallRow;
  readonly node: string | undefined;
}

/** The charts of one method: its rate and latencies over time, and its latencies as a histogram. */
function Method({ session, row, node }: MethodProperties) {
  const { moments } = session.history;
  const { index } = session;
  const end = moments[index];
  const points = useMemo(
    () => overTime(moments.slice(0, index + 1), row.key, node),
    [end, row.key, node],
  );
  const first = moments[0];
  // The histogram covers all kept moments, so that a method that is seldom called has one, too.
  const { counts } = useMemo(
    () =>
      (end === undefined || first === undefined
        ? undefined
        : callRows(end.network, first === end ? undefined : first.network, node, true).find(
            ({ key }) => key === row.key,
          )) ?? row,
    [end, first, row.key, node],
  );
  const x = points.map(({ at }) => (at - (end?.at ?? at)) / 1_000);
  const last = points.at(-1);
  const ago = (value: number) => (value === 0 ? 'now' : duration(-value * 1_000));
  const bars = row.bounds.map((_, i) => i);
  const codes = Object.entries(row.codes).filter(([, count]) => count > 0);
  return html`
    <section>
      <h2>${row.method} <small>${row.side}</small></h2>
      <p>${codes.map(([code, count]) => `${code} ${number(count)}`).join(' · ')}</p>
      <div class="charts">
        <${Chart}
          label="Calls a second"
          summary=${`${number(last?.rate ?? 0)} now`}
          x=${x}
          series=${[{ title: 'calls/s', color: 'chart-1', values: points.map(({ rate }) => rate) }]}
          formatX=${ago}
          formatY=${number}
        />
        <${Chart}
          label="Latency"
          summary=${`p50 ${duration(last?.p50)}, p99 ${duration(last?.p99)}`}
          x=${x}
          series=${[
            { title: 'p50', color: 'chart-1', values: points.map(({ p50 }) => finite(p50)) },
            { title: 'p99', color: 'chart-2', values: points.map(({ p99 }) => finite(p99)) },
          ]}
          formatX=${ago}
          formatY=${duration}
        />
        <${Chart}
          label="Latency histogram of ten minutes"
          summary=${row.bounds
            .map((bound, i) => `${counts[i]} up to ${duration(1_000 * bound)}`)
            .filter((_, i) => counts[i]! > 0)
            .join(', ')}
          kind="bars"
          x=${bars}
          series=${[{ title: 'calls', color: 'chart-1', values: bars.map((i) => counts[i]!) }]}
          formatX=${(i: number) => duration(1_000 * (row.bounds[Math.round(i)] ?? Number.NaN))}
          formatY=${number}
        />
      </div>
    </section>
  `;
}

/** Returns the figures of a method at about 100 moments. */
function overTime(moments: readonly Moment[], key: string, node: string | undefined) {
  const step = Math.max(1, Math.ceil(moments.length / 100));
  const chosen = moments.filter((_, i) => (moments.length - 1 - i) % step === 0);
  return chosen.slice(1).map(({ at, network }, i) => {
    const row = callRows(network, chosen[i]!.network, node, true).find((each) => each.key === key);
    return { at, rate: row?.rate ?? 0, p50: row?.p50, p99: row?.p99 };
  });
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

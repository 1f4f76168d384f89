// The view of recent errors.

import { duration } from '../../model/format.ts';
import { type ErrorRow, errorRows } from '../../model/rows.ts';
import { html } from '../html.ts';
import { type Column, Table } from './table.ts';
import type { ViewProperties } from './view.ts';

export function ErrorsView({ network, node }: ViewProperties) {
  return html`<section>
    <${Table}
      caption="Errors"
      columns=${COLUMNS}
      rows=${errorRows(network, node)}
      keyOf=${({ key }: ErrorRow) => key}
      empty="No errors."
    />
  </section>`;
}

const COLUMNS: readonly Column<ErrorRow>[] = [
  { title: 'Ago', value: ({ age }) => -age, cell: ({ age }) => duration(age) },
  { title: 'Node', value: ({ title }) => title },
  { title: 'What', value: ({ what }) => what },
  { title: 'Where', value: ({ where }) => where },
  { title: 'Code', value: ({ code }) => code },
  { title: 'Reason', value: ({ reason }) => reason },
  { title: 'Times', value: ({ count }) => count },
  { title: 'Text', value: ({ text }) => text },
];

// A table that is sorted by a click on the head of a column, and filtered by a text.

import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { number } from '../../model/format.ts';
import { html } from '../html.ts';

/** A column. Numbers are sorted from the largest, texts from A. */
export interface Column<Row> {
  readonly title: string;
  /** The value by which rows are sorted, and in which the filter searches. */
  readonly value: (row: Row) => string | number | undefined;
  /** The content of a cell. Default: the value. */
  readonly cell?: (row: Row) => ComponentChildren;
}

export interface TableProperties<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** The text that is shown if there are no rows. */
  readonly empty: string;
  /**
   * The title of the column by which rows are sorted at first. Default: rows keep their given
   * order.
   */
  readonly sort?: string;
}

/** A table of at most 200 rows; a line below it says how many rows were left out. */
export function Table<Row>(properties: TableProperties<Row>): VNode | VNode[] {
  const { caption, columns, rows, keyOf, empty } = properties;
  const [sort, setSort] = useState({ title: properties.sort, isReversed: false });
  const [filter, setFilter] = useState('');
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  const found = filtered(rows, columns, filter);
  const column = columns.find(({ title }) => title === sort.title);
  const sorted = column === undefined ? found : [...found].sort(order(column, sort.isReversed));
  const shown = sorted.slice(0, MOST_ROWS);
  // Numbers are sorted from the largest, texts from A.
  const isFalling =
    column !== undefined && (typeof column.value(rows[0]!) === 'number') !== sort.isReversed;
  const choose = (title: string) =>
    setSort({ title, isReversed: title === sort.title && !sort.isReversed });
  return html`
    <div class="table-head">
      <h2>${caption} <small>${number(rows.length)}</small></h2>
      ${
        rows.length > 8 &&
        html`<input
          type="search"
          placeholder="Filter"
          aria-label=${`Filter: ${caption}`}
          value=${filter}
          onInput=${({ currentTarget }: { readonly currentTarget: HTMLInputElement }) =>
            setFilter(currentTarget.value)}
        />`
      }
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <thead>
          <tr>
            ${columns.map(
              ({ title }) => html`<th
                scope="col"
                key=${title}
                aria-sort=${
                  title === sort.title ? (isFalling ? 'descending' : 'ascending') : undefined
                }
              >
                <button type="button" onClick=${() => choose(title)}>${title}</button>
              </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (row) => html`<tr key=${keyOf(row)}>
              ${columns.map(
                ({ title, value, cell }) =>
                  html`<td key=${title} class=${typeof value(row) === 'number' ? 'number' : ''}>
                    ${cell === undefined ? (value(row) ?? '–') : cell(row)}
                  </td>`,
              )}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      sorted.length > shown.length &&
      html`<p class="empty">${number(sorted.length - shown.length)} more: use the filter.</p>`
    }
  `;
}

const MOST_ROWS = 200;

function filtered<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  filter: string,
): readonly Row[] {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return rows;
  return rows.filter((row) =>
    columns.some(({ value }) =>
      String(value(row) ?? '')
        .toLowerCase()
        .includes(wanted),
    ),
  );
}

function order<Row>({ value }: Column<Row>, isReversed: boolean): (a: Row, b: Row) => number {
  const sign = isReversed ? -1 : 1;
  return (a, b) => {
    const [left, right] = [value(a), value(b)];
    if (typeof left === 'number' || typeof right === 'number')
      return sign * ((Number(right) || 0) - (Number(left) || 0));
    return sign * String(left ?? '').localeCompare(String(right ?? ''));
  };
}

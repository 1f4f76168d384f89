// The operations of a checked history as bars, in rows beside the nodes.

import type { Recording } from '@trunkline/simulation';

type Operation = NonNullable<NonNullable<Recording['failure']>['operations']>[number];

/** An operation as a bar. */
export interface Bar extends Operation {
  readonly from: number;
  /** The row, counted from 0. The operations of one client are in adjacent rows. */
  readonly row: number;
}

/**
 * Arranges operations in rows, so that those of a row belong to one client and do not overlap.
 * Leaves out operations without times.
 */
export function barsOf(operations: readonly Operation[]): readonly Bar[] {
  const bars: Bar[] = [];
  let rows = 0;
  for (const client of new Set(operations.map((operation) => operation.client))) {
    /** The ends of the last bars in the rows of the client. */
    const ends: number[] = [];
    for (const operation of operations) {
      const { from, to = Number.POSITIVE_INFINITY } = operation;
      if (operation.client !== client || from === undefined) continue;
      const free = ends.findIndex((end) => end <= from);
      const row = free < 0 ? ends.length : free;
      ends[row] = to;
      bars.push({ ...operation, from, row: rows + row });
    }
    rows += ends.length;
  }
  return bars;
}

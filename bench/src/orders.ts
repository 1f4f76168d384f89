// The side of a measuring process in the exchange with its parent: receives orders and sends
// reports.

/** Sent instead of the expected report. */
export interface Failed {
  readonly error: string;
}

/**
 * Carries out the parent's orders and reports the results; `released` is called when the parent
 * disconnects.
 */
export function obey<Order, Report extends object>(
  handle: (order: Order) => Promise<Report>,
  released: () => void,
): void {
  process.on('disconnect', released);
  process.on('message', (order: Order) => {
    handle(order).then(report, (error: Error) =>
      report<Failed>({ error: error.stack ?? String(error) }),
    );
  });
}

export function report<Report extends object>(what: Report): void {
  process.send!(what);
}

// Receives orders from a parent process and reports to it, one at a time.

/** Sent instead of a report if an order fails. */
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
    handle(order).then(
      (report) => process.send?.(report),
      (error: Error) => process.send?.({ error: error.stack ?? String(error) } satisfies Failed),
    );
  });
}

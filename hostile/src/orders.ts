// Orders from a parent process and the reports to it, one at a time.

/** Sent instead of a report. */
export interface Failed {
  readonly error: string;
}

/** Does what the parent asks and reports what came of it; `released` is called when the parent lets go. */
export function obey<Order, Report extends object>(handle: (order: Order) => Promise<Report>, released: () => void): void {
  process.on('disconnect', released);
  process.on('message', (order: Order) => {
    handle(order).then(
      (report) => process.send?.(report),
      (error: Error) => process.send?.({ error: error.stack ?? String(error) } satisfies Failed),
    );
  });
}

// The other side of it: what a process of a measurement hears from its parent, and tells it.

/** Instead of what was wanted. */
export interface Failed {
  readonly error: string;
}

/** Does what the parent asks, and tells it what came of it; `released` is called when the parent lets go. */
export function obey<Order, Report extends object>(handle: (order: Order) => Promise<Report>, released: () => void): void {
  process.on('disconnect', released);
  process.on('message', (order: Order) => {
    handle(order).then(report, (error: Error) => report<Failed>({ error: error.stack ?? String(error) }));
  });
}

export function report<Report extends object>(what: Report): void {
  process.send!(what);
}

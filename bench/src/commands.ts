// The side of a measuring process in the exchange with its parent: receives commands and sends
// reports.

/** Sent instead of the expected report. */
export interface Failed {
  readonly error: string;
}

/**
 * Runs each command of the parent and reports its result; `released` is called when the parent
 * disconnects.
 */
export function runCommands<Command, Report extends object>(
  run: (command: Command) => Promise<Report>,
  released: () => void,
): void {
  process.on('disconnect', released);
  process.on('message', (command: Command) => {
    run(command).then(report, (error: Error) =>
      report<Failed>({ error: error.stack ?? String(error) }),
    );
  });
}

/** Sends a report to the parent. */
export function report<Report extends object>(what: Report): void {
  process.send!(what);
}

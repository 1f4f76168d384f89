// Receives commands from a parent process and reports to it, one at a time.

/** Sent instead of a report if an command fails. */
export interface Failed {
  readonly error: string;
}

/**
 * Carries out the parent's commands and reports the results; `released` is called when the parent
 * disconnects.
 */
export function serveCommands<Command, Report extends object>(
  handle: (command: Command) => Promise<Report>,
  released: () => void,
): void {
  process.on('disconnect', released);
  process.on('message', (command: Command) => {
    handle(command).then(
      (report) => process.send?.(report),
      (error: Error) => process.send?.({ error: error.stack ?? String(error) } satisfies Failed),
    );
  });
}

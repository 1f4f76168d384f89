// The functions that a measuring process offers to its parent.

/** The functions by name. Their arguments and results are cloned. */
export type Commands = Readonly<Record<string, (...args: any[]) => unknown>>;

/** The parent's request to run one of them. */
export interface Command {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The answer to the parent: the result of a command, or its error. */
export interface Report {
  readonly result?: any;
  readonly error?: string;
}

/**
 * Tells the parent that this process is ready, and runs the commands that the parent calls;
 * `released` is called when the parent disconnects.
 */
export function runCommands(commands: Commands, released: () => void): void {
  process.on('disconnect', released);
  process.on('message', async ({ name, args }: Command) => {
    try {
      report({ result: await commands[name]!(...args) });
    } catch (error) {
      report({ error: (error as Error).stack ?? String(error) });
    }
  });
  report({});
}

function report(what: Report): void {
  process.send!(what);
}

// The surroundings of a command: its input and output, its environment and its clock. Tests pass
// fake ones.

import type { Clock } from '@trunkline/transport-core';

/** The parts of a process that commands use. */
export interface CliTerminal {
  /**
   * Writes results. Resolves when they are written, or when nobody reads them. An interrupted
   * command may still write, for example to restore the screen.
   */
  out(text: string): Promise<void>;
  /** Writes messages for people: errors, warnings, progress. */
  err(text: string): void;
  /** The standard input. */
  readonly input: AsyncIterable<Uint8Array | string>;
  /** Whether a person reads the results, so that they may be laid out and repainted. */
  readonly isTerminal: boolean;
  /** Whether a person reads the messages, so that progress may be shown among them. */
  readonly showsProgress: boolean;
  /** The width and height of the terminal in characters. */
  readonly size: { readonly columns: number; readonly rows: number };
  /**
   * Returns the keys that are pressed until the signal aborts; no keys if there is no keyboard.
   * Ctrl-C is not among these keys: it ends the command.
   */
  keys(signal: AbortSignal): AsyncIterable<string>;
  /** Opens an address in the user's browser; rejects if there is no browser. */
  browse(url: string): Promise<void>;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Aborts when the user interrupts the command, or with the system error when results can't be
   * written: EPIPE if nobody reads them.
   */
  readonly interrupted: AbortSignal;
  /** The clock of timeouts, measurements and progress. */
  readonly clock: Clock;
  /** Returns the time of day in milliseconds since 1970, for people. */
  date(): number;
}

/** Resolves when the user interrupts the command. */
export function untilInterrupted({ interrupted }: Pick<CliTerminal, 'interrupted'>): Promise<void> {
  if (interrupted.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    interrupted.addEventListener('abort', () => resolve(), { once: true }),
  );
}

// The terminal of a process.

import { once, setMaxListeners } from 'node:events';
import process from 'node:process';
import { systemClock } from '@trunkline/transport-core';
import { systemWall } from '@trunkline/transport-core/backend';
import type { CliTerminal } from './terminal.ts';

/**
 * Returns the terminal of this process. SIGINT aborts `interrupted`; a second one ends the process.
 */
export function processTerminal(): CliTerminal {
  const { stdin, stdout, stderr } = process;
  const interrupt = new AbortController();
  setMaxListeners(0, interrupt.signal); // each call and dial in progress listens to it
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
  // The reader, such as 'head', has closed the pipe, or the disk is full.
  stdout.on('error', (error) => interrupt.abort(error));
  // Nobody reads the messages; the exit code still says what happened.
  stderr.on('error', () => {});
  return {
    async out(text) {
      await new Promise<void>((resolve) =>
        stdout.write(text, (error) => {
          if (error) interrupt.abort(error);
          resolve();
        }),
      );
    },
    err: (text) => void stderr.write(text),
    input: stdin,
    isTerminal: stdout.isTTY === true,
    showsProgress: stderr.isTTY === true,
    get size() {
      return sizeOf(stdout);
    },
    keys: (signal) => readKeys(signal, interrupt),
    async browse(url) {
      // Loaded on demand, because few commands need it.
      const { default: open } = await import('open');
      await open(url);
    },
    env: process.env,
    interrupted: interrupt.signal,
    clock: systemClock,
    date: systemWall,
  };
}

/**
 * Returns the size of a terminal, or 80 × 24 if it is not known. A terminal that nobody has sized,
 * such as that of `docker exec -t` or `script`, reports 0 × 0.
 */
export function sizeOf(stdout: { readonly columns?: number; readonly rows?: number }): {
  readonly columns: number;
  readonly rows: number;
} {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
}

async function* readKeys(
  signal: AbortSignal,
  interrupt: AbortController,
): AsyncGenerator<string, void> {
  const { stdin } = process;
  if (!stdin.isTTY) return;
  stdin.setRawMode(true);
  stdin.resume();
  try {
    while (!signal.aborted) {
      const [chunk] = await once(stdin, 'data', { signal }).catch(() => []);
      if (chunk === undefined) return;
      for (const key of String(chunk)) {
        // In raw mode, Ctrl-C is a character instead of a signal.
        if (key === '\u0003') return interrupt.abort(new Error('interrupted'));
        yield key;
      }
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

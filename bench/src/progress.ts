// Shows what is being measured: one line on a terminal, otherwise a line for each step.

const BAR = 24;

export function showProgress(what: string, done: number): void {
  const { stderr } = process;
  const filled = Math.round(done * BAR);
  if (stderr.isTTY)
    stderr.write(`\r\x1b[K${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${what}`);
  else stderr.write(`${what}\n`);
}

/** Clears the terminal's line. */
export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

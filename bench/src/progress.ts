// One line that tells what is being measured; where nobody watches a terminal, one line a step.

const BAR = 24;

export function showProgress(what: string, done: number): void {
  const { stderr } = process;
  const filled = Math.round(done * BAR);
  if (stderr.isTTY) stderr.write(`\r\x1b[K${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${what}`);
  else stderr.write(`${what}\n`);
}

/** Leaves the terminal's line empty. */
export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

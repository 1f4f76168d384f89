// Runs programs one after the other in this process, which loads the packages only once. Each line
// on stdout is what one of them printed, or how it failed, as JSON.

import { format } from 'node:util';

/** The result of one program. */
export interface Run {
  readonly path: string;
  readonly output: string;
  readonly error?: string | undefined;
}

for (const path of process.argv.slice(2)) {
  const printed: string[] = [];
  console.log = (...values) => void printed.push(`${format(...values)}\n`);
  let error: string | undefined;
  try {
    await import(path);
  } catch (caught) {
    error = String(caught);
  }
  const result: Run = { path, output: printed.join(''), error };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

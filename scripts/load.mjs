// Busy processes, to run tests on a machine that has other work to do.

import { spawn } from 'node:child_process';

/** Starts busy processes, and returns a function that ends them. */
export function startLoad(count) {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'while (process.ppid !== 1);'], { stdio: 'ignore' }),
  );
  return () => {
    for (const child of children) child.kill('SIGKILL');
  };
}

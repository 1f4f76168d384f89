// A thread beside the target: if an input does not end, it prints the input and kills the process.

import { writeSync } from 'node:fs';
import { setInterval } from 'node:timers';
import { workerData } from 'node:worker_threads';

const { watched, target } = workerData as {
  readonly watched: SharedArrayBuffer;
  readonly target: string;
};
const [counter, bytes] = [new Int32Array(watched, 0, 2), new Uint8Array(watched, 8)];
/** Milliseconds that an input may take before the process is killed. */
const LIMIT = 20_000;
let last = -1;

setInterval(() => {
  if (counter[0] !== last) {
    last = counter[0]!;
    return;
  }
  const input = Buffer.from(bytes.slice(0, counter[1]!)).toString('base64');
  writeSync(
    2,
    `\n${target}: an input has run for ${LIMIT / 1_000} s and more: npx pnpm@12 fuzz ${target} --input ${input}\n`,
  );
  process.kill(process.pid, 'SIGKILL');
}, LIMIT);

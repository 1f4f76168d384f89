// Tests of the command trunkline without @trunkline/cli, which this package does not install.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const main = fileURLToPath(new URL('./main.js', import.meta.url));
const text = 'the command needs one more package: npm install @trunkline/cli';
const json = `{"error":{"code":"failed_precondition","message":"${text}"}}`;

for (const [args, expected] of [
  [['ls'], `trunkline: ${text}\n`],
  [['ls', '--json'], `${json}\n`],
] as const) {
  test(`trunkline ${args.join(' ')} without its package exits with 19`, async (t) => {
    const outcome = await new Promise<unknown>((resolve) =>
      execFile(process.execPath, [main, ...args], (error, out, err) =>
        resolve({ code: error?.code, out, err }),
      ),
    );
    t.deepEqual(outcome, { code: 19, out: '', err: expected });
  });
}

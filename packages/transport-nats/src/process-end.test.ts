// A program ends once its transports are closed: they close the connections to NATS that they have
// opened, also after a failed dial.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serverOfFile, natsTest as test } from './testing/server.ts';

const program = fileURLToPath(new URL('./testing/closed-transports.js', import.meta.url));
const { NODE_OPTIONS: _, ...env } = process.env;
const server = await serverOfFile();

test('a program ends once its transports are closed', async (t) => {
  t.timeout(60_000);
  const { stdout } = await promisify(execFile)(process.execPath, [program, server!.address], {
    env,
    timeout: 20_000,
  });
  t.is(stdout, 'answered\nconnection_refused\nclosed\n');
});

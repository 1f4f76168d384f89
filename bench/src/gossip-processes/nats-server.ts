// Starts a NATS server for each measurement, if one is installed.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { RunningServer } from './kind.ts';

const PROGRAM = 'nats-server';

export function isInstalled(): boolean {
  return spawnSync(PROGRAM, ['--version']).status === 0;
}

/**
 * @param args command-line arguments in addition to the listening address.
 * @throws Error if the server ends before it listens.
 */
export async function startServer(...args: string[]): Promise<RunningServer> {
  const server = spawn(PROGRAM, ['--addr', '127.0.0.1', '--port', '-1', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = () => void server.kill('SIGKILL');
  const lines = createInterface({ input: server.stderr });
  const listens = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      const address = /Listening for client connections on (\S+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`${PROGRAM} ended too early (exit code ${code})`);
  });
  // After this point the end of the server is expected.
  ended.catch(() => {});
  return { address: await Promise.race([listens, ended]), pid: server.pid!, stop };
}

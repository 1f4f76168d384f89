// Debian's TURN server, coturn, on the loopback interface.

import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RtcIceServer } from '../rtc.ts';

export interface TurnServer {
  /** The server with the name and the password of a user. */
  readonly iceServer: RtcIceServer;
  stop(): Promise<void>;
}

/** Returns the reason why no TURN server can be started on this machine; undefined if one can. */
export function unable(): string | undefined {
  try {
    execFileSync('turnserver', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return "turnserver is missing (Debian's package coturn)";
  }
}

export async function startTurnServer(): Promise<TurnServer> {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-turn-'));
  const port = await unusedPort();
  const child = spawn(
    'turnserver',
    [
      '-n', // without the configuration of the machine
      '--no-cli --no-tls --no-dtls --no-tcp --no-tcp-relay --allow-loopback-peers',
      `--listening-ip 127.0.0.1 --listening-port ${port} --relay-ip 127.0.0.1`,
      '--lt-cred-mech --realm trunkline --user ada:secret',
      `--pidfile ${join(folder, 'pid')} --userdb ${join(folder, 'users')}`,
      '--log-file stdout --simple-log',
    ].flatMap((text) => text.split(' ')),
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const stop = async () => {
    // It keeps nothing, and a polite signal may find it unable to end.
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    rmSync(folder, { recursive: true });
  };
  const log: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    log.push(line);
    if (!line.includes('Total General servers')) continue;
    child.stdout.resume();
    const urls = `turn:127.0.0.1:${port}`;
    return { iceServer: { urls, username: 'ada', credential: 'secret' }, stop };
  }
  await stop();
  throw new Error(`coturn has ended:\n${log.join('\n')}`);
}

/** Returns a free port, because the program can't choose one itself. */
async function unusedPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

// `pnpm mesh`: serves the page, and runs two nodes of the mesh in two processes.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ws } from 'trunkline';
import { nameOf } from './names.ts';
import { Participant } from './participant.ts';
import { openSite } from './site.ts';

const HELP = `mesh [options]

  --port <port>    the port of the page; default 8080, and 0 takes a free one
  --host <host>    the address to listen on; default 127.0.0.1. With the address of this computer,
                   phones in your network can open the page
  --help           prints this text
`;

const print = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    options: {
      port: { type: 'string', default: '8080' },
      host: { type: 'string', default: '127.0.0.1' },
      join: { type: 'string' }, // Only for the second process.
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else if (values.join !== undefined) await runSecond(values.join);
  else await runFirst(values.host, Number(values.port));
}

/** Runs the site and the first node, which the pages reach over WebSocket. */
async function runFirst(host: string, port: number): Promise<void> {
  const { url, origins, server, close } = await openSite(host, port);
  const site = url.replace('http', 'ws');
  const node = new Participant({ kind: 'process', site, server: ws({ server, origins }) });
  await node.start();
  const second = fork(fileURLToPath(import.meta.url), ['--join', site]);
  const ended = once(second, 'exit');
  print(`open ${url}/ in several tabs, and press Ctrl-C to end`);
  print(`${nameOf(node.nodeId)} is process 1`);
  await interrupted();
  second.kill();
  await Promise.all([ended, node.close()]);
  await close();
}

/** Runs the second node, which the pages reach over WebRTC. */
async function runSecond(site: string): Promise<void> {
  const node = new Participant({ kind: 'process', site });
  await node.start();
  print(`${nameOf(node.nodeId)} is process 2`);
  await Promise.race([interrupted(), once(process, 'disconnect')]);
  await node.close();
  if (process.connected) process.disconnect();
}

async function interrupted(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

main().catch((error: Error) => {
  process.stderr.write(`mesh: ${error.message}\n`);
  process.exitCode = 1;
});

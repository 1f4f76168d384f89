// `pnpm mesh`: serves the page, and runs two nodes of the mesh in two processes.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createIdentity, type Identity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { webrtc } from '@trunkline/transport-webrtc';
import { createHubSignal, type HubSignal } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { nameOf } from './names.ts';
import { Participant } from './participant.ts';
import { HUB_PATH, MESH_PATH, openSite } from './site.ts';

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
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port: expected a number from 0 to 65535, got '${values.port}'`);
  if (values.help) process.stdout.write(HELP);
  else if (values.join !== undefined) await runSecond(values.join);
  else await runFirst(values.host, port);
}

/** Runs the site and the first node, which the pages reach over WebSocket. */
async function runFirst(host: string, port: number): Promise<void> {
  const site = await openSite(host, port);
  const { url, origins, server } = site;
  const identity = createIdentity();
  const mesh = `${url.replace('http', 'ws')}${MESH_PATH}`;
  const signal = signalAt(url, identity);
  const node = new Participant({
    kind: 'process',
    identity,
    listen: mesh,
    advertise: mesh,
    // This node only dials over WebRTC: peers pass on no address that they can't dial themselves.
    backends: [secured(ws({ server, origins }), { identity }), webrtc({ signal, identity })],
    join: [],
  });
  await node.start();
  const second = fork(fileURLToPath(import.meta.url), ['--join', url]);
  const ended = once(second, 'exit');
  print(`${nameOf(node.nodeId)} is process 1`);
  print(`open ${url}/ in several tabs`);
  print('press Ctrl-C to end');
  await interrupted();
  second.kill();
  await Promise.all([ended, node.close()]);
  await signal.close();
  await site.close();
}

/** Runs the second node, which the pages reach over WebRTC. */
async function runSecond(site: string): Promise<void> {
  const identity = createIdentity();
  const signal = signalAt(site, identity);
  const node = new Participant({
    kind: 'process',
    identity,
    listen: 'webrtc://0',
    backends: [webrtc({ signal, identity }), secured(ws(), { identity })],
    join: [`${site.replace('http', 'ws')}${MESH_PATH}`],
  });
  await node.start();
  print(`${nameOf(node.nodeId)} is process 2`);
  await Promise.race([interrupted(), once(process, 'disconnect')]);
  await node.close();
  await signal.close();
  if (process.connected) process.disconnect();
}

function signalAt(site: string, identity: Identity): HubSignal {
  const hub = `${site.replace('http', 'ws')}${HUB_PATH}`;
  return createHubSignal({ address: hub, backends: [ws()], identity, relay: true });
}

async function interrupted(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

main().catch((error: Error) => {
  process.stderr.write(`mesh: ${error.message}\n`);
  process.exitCode = 1;
});

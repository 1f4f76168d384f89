#!/usr/bin/env node
// Runs a hub on WebSocket, as one command: trunkline-signaling --bind 0.0.0.0:2443 --realm main

import { once } from 'node:events';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createWsTransport } from '@trunkline/transport-ws';
import { createSignalHub } from './hub.ts';
import { signalingProtocol } from './protocol.ts';

const USAGE = `trunkline-signaling [options]

  --bind <host:port>       the address to listen on; default 127.0.0.1:2443, as in Babble
  --advertise <ws://…>     the address that nodes dial, if the hub is bound to 0.0.0.0
  --address <wss://…>      an address at which nodes dial the hub; may be repeated; default: any
  --realm <name>           a realm that nodes may register in; may be repeated; default: any
  --origin <https://…>     a web page that may connect; may be repeated; default: any
  --relay                  relays streams between nodes that can't connect directly
  --help                   prints this text

The command serves plain WebSocket: put it behind a TLS proxy for wss://.
`;

const { values } = parseArgs({
  options: {
    bind: { type: 'string', default: '127.0.0.1:2443' },
    advertise: { type: 'string' },
    address: { type: 'string', multiple: true },
    realm: { type: 'string', multiple: true },
    origin: { type: 'string', multiple: true },
    relay: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(USAGE);
else await run();

async function run(): Promise<void> {
  const transport = createWsTransport({
    protocol: signalingProtocol,
    bindAddr: values.bind,
    advertiseAddr: values.advertise,
    origins: values.origin,
  });
  const hub = createSignalHub({
    transport,
    addresses: values.address,
    realms: values.realm,
    relay: values.relay ? {} : undefined,
  });
  await transport.listen();
  process.stdout.write(`the signaling hub listens on ${transport.localAddr()}\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await hub.close();
  await transport.close();
}

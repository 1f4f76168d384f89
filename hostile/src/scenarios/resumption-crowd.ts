// Four nodes fill the table in which a server keeps resumable streams, and stay connected.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { resumable, resume } from '@trunkline/resilience/resumption';
import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { AttackerConnection } from '../attacker-connection.ts';
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';
import { concat, frame, Kind } from '../wire.ts';

const CHANNEL = 0x20;
const protocol = defineProtocol({
  name: 'feed',
  version: 1,
  channel: CHANNEL,
  methods: { follow: { id: 1, request: bytes, download: bytes } },
});

export const resumptionCrowd: Scenario = {
  name: 'resumption-four-ids',
  title: 'fills the table of resumable streams with four proven ids, which stay connected',
  cases: [],
  carrier: 'noise',
  run: attack,
};

async function attack(run: ScenarioRun): Promise<Finding> {
  const server = await startServer(run);
  const honest = () => startClient(run);
  const cuttable = await startProxy(run, server.port);
  const first = honest();
  const away = await resume(first, server.at(cuttable.port), 'follow', NOTHING, {
    maxBackoff: 100,
  });
  await away.next();

  const crowd: AttackerConnection[] = [];
  for (let id = 0; id < IDS; id++) {
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const target = {
      carrier: 'noise',
      host: '127.0.0.1',
      port: server.port,
      key,
      cert: '',
    } as const;
    for (let connection = 0; connection < CONNECTIONS; connection++) {
      const attacker = await AttackerConnection.admitted({
        ...target,
        key: String(key),
        stranger: { key: '', cert: '' },
      });
      crowd.push(run.own(attacker, () => attacker.destroy()));
      // The honest stream is away while the others come.
      if (crowd.length === 2) cuttable.cut();
      await attacker.push(concat(...Array.from({ length: STREAMS }, (_, at) => opening(at))));
      await attacker.settled();
    }
  }

  let succeeded = 0;
  const newcomer = honest();
  for (let call = 0; call < CALLS; call++) {
    const items = await resume(newcomer, server.at(server.port), 'follow', NOTHING).catch(() => {});
    const item = await items?.next().catch(() => {});
    if (item?.done === false) succeeded++;
  }
  cuttable.open();
  const next = await away.next().catch(() => {});
  if (next?.done === false) succeeded++;
  const answers = new Set(crowd.map((attacker) => attacker.outcome()));
  return {
    answer: [...answers].join(', '),
    honest: { succeeded, of: CALLS + 1 },
    flaws: server.feed.streams > MOST ? [`the server keeps ${server.feed.streams} streams`] : [],
  };
}

async function startServer(run: ScenarioRun) {
  const identity = createIdentity();
  const server = createTransport('tcp://127.0.0.1:0', {
    protocol,
    backends: [secured(tcp(), { identity })],
  });
  run.own(server, () => server.close());
  const feed = resumable(server, 'follow', async function* (_, { signal }) {
    yield ITEM;
    yield ITEM;
    await once(signal, 'abort');
  });
  serve(server, { follow: feed });
  await server.listen();
  const port = Number(server.advertiseAddr().split(':').at(-1));
  return { feed, port, at: (through: number) => `${identity.nodeId}@tcp://127.0.0.1:${through}` };
}

function startClient(run: ScenarioRun) {
  const backends = [secured(tcp(), { identity: createIdentity() })];
  const client = createTransport({ protocol, backends });
  return run.own(client, () => client.close());
}

/** Starts a proxy whose connections can be cut, and which then refuses others until `open`. */
async function startProxy(run: ScenarioRun, to: number) {
  const sockets = new Set<Socket>();
  let isCut = false;
  const proxy = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(to, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => other.destroy());
      socket.pipe(other);
    }
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  run.own(proxy, () => {
    cut();
    proxy.close();
  });
  const { port } = proxy.address() as { readonly port: number };
  return { port, cut, open: () => void (isCut = false) };
}

/** Opens a resumable stream. */
function opening(at: number): Uint8Array {
  return frame({
    kind: Kind.request,
    id: 2 * at + 1,
    channel: CHANNEL,
    method: 1,
    flags: 2,
    metadata: [['trunkline-resume', randomBytes(16).toString('hex')]],
  });
}

/** Four ids fill the table with the defaults of `resumable`: 1,000 streams, 250 of each caller. */
const IDS = 4;
const CONNECTIONS = 2;
const STREAMS = 125;
const MOST = 1_000;
const CALLS = 8;
const ITEM = new Uint8Array(1_000);
const NOTHING = new Uint8Array(0);

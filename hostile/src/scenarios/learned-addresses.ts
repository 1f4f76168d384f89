// Attacks on addresses that peers tell: a peer makes its victim dial services that only the victim
// can reach. A decoy on loopback stands for such a service. Meanwhile, honest nodes on loopback
// find each other through the same victim, with default options.

import { randomBytes } from 'node:crypto';
import dns, { type LookupOptions } from 'node:dns';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer, isIP } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPeers, type PeersOptions } from '@trunkline/peers';
import { createTransport, defineProtocol, empty } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { AttackerConnection } from '../attacker-connection.ts';
import { NO_KEYS } from '../carriers.ts';
import { type Finding, inTurn, type Scenario, type ScenarioRun } from '../scenario.ts';
import { concat, frame, hello, Kind, PREAMBLE, text } from '../wire.ts';

export const learnedAddresses: readonly Scenario[] = [
  inTurn(
    [
      {
        name: 'learned-loopback',
        title: 'with a public address tells loopback addresses, over TCP and WebSocket',
        cases: [116],
        carrier: 'peers',
        run: (run) =>
          attack(run, {
            from: PUBLIC,
            told: (port) => [
              `127.0.0.1:${port}`,
              `127.1.2.3:${port}`,
              `[::1]:${port}`,
              `[::ffff:127.0.0.1]:${port}`,
              `[64:ff9b::7f00:1]:${port}`,
              `localhost:${port}`,
              `ws://127.0.0.1:${port}/`,
              `ws://localhost:${port}/`,
              `wss://127.0.0.1:${port}/`,
            ],
          }),
      },
      {
        name: 'learned-private',
        title: 'with a private address tells loopback addresses',
        cases: [116],
        carrier: 'peers',
        run: (run) =>
          attack(run, {
            from: '10.1.2.3',
            told: (port) => [`127.0.0.1:${port}`, `localhost:${port}`, `ws://127.0.0.1:${port}/`],
          }),
      },
    ],
    {
      name: 'learned-inner',
      title: 'with a public or a private address tells loopback addresses, over TCP and WebSocket',
    },
  ),
  {
    name: 'learned-path',
    title: 'with a loopback address tells WebSocket addresses with paths of its choice',
    cases: [116],
    carrier: 'peers',
    run: (run) =>
      attack(run, {
        from: '127.0.0.1',
        told: (port) => [
          `ws://127.0.0.1:${port}/admin/delete?all=1`,
          `ws://127.0.0.2:${port}/?restart`,
          `ws://127.0.0.3:${port}/rpc/../admin`,
        ],
      }),
  },
  {
    name: 'learned-name',
    title: 'tells public names that resolve to loopback addresses',
    cases: [116],
    carrier: 'peers',
    run(run) {
      resolveTo(run, 'inner.example', ['127.0.0.1', '::1', '::ffff:127.0.0.1']);
      return attack(run, {
        from: PUBLIC,
        told: (port) => [
          `inner.example:${port}`,
          `ws://inner.example:${port}/`,
          `wss://inner.example:${port}/`,
        ],
      });
    },
  },
];

interface Attack {
  /** The address from which the victim sees the attacker. */
  readonly from: string;
  /** Returns the addresses to tell, all of which lead to this port of the victim's machine. */
  readonly told: (port: number) => readonly string[];
}

async function attack(run: ScenarioRun, { from, told }: Attack): Promise<Finding> {
  const decoy = await startDecoy(run);
  const victim = await startNode(run);
  const addresses = told(decoy.port).map((address) => ({ nodeId: newId(), address }));
  let answers = 0;
  const attacker = await AttackerConnection.connect(
    { carrier: 'ws', host: '127.0.0.1', port: victim.webSocketPort, ...NO_KEYS },
    { 'X-Forwarded-For': from },
  );
  run.own(attacker, () => attacker.destroy());
  attacker.onFrame = (read) => {
    if (read.kind !== Kind.oneway || read.channel !== PEERS || read.method !== 1) return;
    answers++;
    attacker.send(
      frame({
        kind: Kind.oneway,
        channel: PEERS,
        method: 2,
        payload: text(JSON.stringify({ addresses })),
      }),
    );
  };
  const protocols = [{ name: 'trunkline.peers', version: 1, channel: PEERS }];
  const fields = { nodeId: newId(), protocols };
  attacker.send(concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello(fields) })));
  await attacker.until(() => attacker.count(Kind.hello) > 0);
  attacker.send(frame({ kind: Kind.ready }));
  await attacker.until(() => answers > 0);
  await attacker.settled();
  const succeeded = await honestFleet(run, victim.address);
  await sleep(run.duration);
  const flaws =
    decoy.requests.length === 0
      ? []
      : [
          `the victim dialed the decoy ${decoy.requests.length} times: ${decoy.requests.join(', ')}`,
        ];
  if (attacker.ending !== undefined) flaws.push(`the attacker was cut: ${attacker.outcome()}`);
  return {
    answer: `${decoy.requests.length} dials`,
    honest: { succeeded, of: HONEST },
    flaws,
  };
}

/**
 * Makes the resolver of this process return these addresses for a name, as a server of DNS would.
 */
function resolveTo(run: ScenarioRun, name: string, addresses: readonly string[]): void {
  const system = dns.lookup as unknown as Lookup;
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const lookup: Lookup = (host, options, done) => {
    if (host !== name) return system(host, options, done);
    process.nextTick(() =>
      options.all === true ? done(null, found) : done(null, found[0]!.address, found[0]!.family),
    );
  };
  const use = (chosen: Lookup) => {
    Object.assign(dns, { lookup: chosen });
    syncBuiltinESMExports();
  };
  use(lookup);
  run.own(system, use);
}

type Lookup = (host: string, options: LookupOptions, done: (...found: unknown[]) => void) => void;

/** Starts a service that nobody may reach, and that writes down who did. */
async function startDecoy(run: ScenarioRun): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((socket) => {
    const at = requests.push('a connection') - 1;
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      const [line = ''] = bytes.toString('latin1').split('\r\n');
      if (line.startsWith('GET ')) requests[at] = line;
      socket.destroy();
    });
  });
  server.listen(0);
  await once(server, 'listening');
  run.own(server, () => server.close());
  return { port: (server.address() as AddressInfo).port, requests };
}

/** Starts honest nodes on loopback; returns how many have found all others through the victim. */
async function honestFleet(run: ScenarioRun, seed: string): Promise<number> {
  const nodes = [];
  for (let count = 0; count < HONEST; count++) nodes.push(await startNode(run, { seeds: [seed] }));
  const ready = await Promise.allSettled(
    nodes.map(({ peers }) => peers.ready({ peers: HONEST, timeout: PATIENCE })),
  );
  return ready.filter(({ status }) => status === 'fulfilled').length;
}

/** Starts a node that listens on TCP and, behind a proxy, on WebSocket. */
async function startNode(run: ScenarioRun, options: Partial<PeersOptions> = {}) {
  const transport = createTransport(['tcp://127.0.0.1:0', 'ws://127.0.0.1:0'], {
    protocol,
    backends: [tcp(), ws({ trustProxy: 1 })],
  });
  run.own(transport, () => transport.close());
  const peers = createPeers({ transport, exchange: { interval: INTERVAL }, ...options });
  await transport.listen();
  await peers.start();
  const [address, webSocket] = transport.localAddrs();
  return { peers, address: address!, webSocketPort: Number(new URL(webSocket!).port) };
}

function newId(): string {
  return randomBytes(32).toString('hex');
}

const protocol = defineProtocol({
  name: 'learned',
  version: 1,
  channel: 0x20,
  methods: { nothing: { id: 1, request: empty } },
});
/** The channel of the protocol of peers. */
const PEERS = 1;
/** The number of honest nodes. */
const HONEST = 3;
/** Milliseconds between two rounds of address exchange, the same for all nodes. */
const INTERVAL = 600;
const PATIENCE = 20_000;
const PUBLIC = '8.8.8.8';

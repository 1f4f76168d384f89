// Attacks on servers of WebSockets: compressed messages, pages of other sites, and forged headers
// of proxies.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { serveDashboard } from '@trunkline/admin/dashboard';
import { createTransport, serve, type Transport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { AttackerConnection } from '../attacker-connection.ts';
import { NO_KEYS } from '../carriers.ts';
import { echoProtocol as protocol } from '../echo-protocol.ts';
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';
import { upgradeRequest, WebSocketReader, webSocketFrame } from '../web-socket-client.ts';
import { concat, FrameReader, frame, hello, Kind, PREAMBLE, text } from '../wire.ts';

export const webPages: readonly Scenario[] = [
  {
    name: 'ws-deflate',
    title: 'offers permessage-deflate, and sends compressed bombs without negotiating it',
    cases: [35, 126],
    carrier: 'ws',
    run: compressed,
  },
  {
    name: 'ws-page-with-cookie',
    title: 'opens pages of other origins, in the browser of a user who has a session',
    cases: [128],
    carrier: 'ws',
    run: otherPages,
  },
  {
    name: 'ws-forged-forwarded-for',
    title: 'forges X-Forwarded-For, directly and through the proxy that is trusted',
    cases: [129],
    carrier: 'ws',
    run: forgedAddresses,
  },
];

async function compressed(run: ScenarioRun): Promise<Finding> {
  const { server, at } = await site(run);
  const victim = own(
    run,
    createTransport('ws://127.0.0.1:0', { protocol, backends: [ws({ server })] }),
  );
  serve(victim, { echo: (request) => request });
  await victim.listen();
  const flaws: string[] = [];
  const bomb = deflateRawSync(new Uint8Array(BOMB));
  const small = deflateRawSync(new Uint8Array(64));
  const marked = (message: Uint8Array, bits = RSV1) => {
    const copy = Uint8Array.from(message);
    copy[0] = copy[0]! | bits;
    return copy;
  };
  const part = webSocketFrame(small.subarray(0, 4), { final: false });
  const bombs: readonly (readonly [string, Uint8Array])[] = [
    ['a bomb', marked(webSocketFrame(bomb))],
    ['a small message', marked(webSocketFrame(small))],
    ['a first fragment', marked(part)],
    ['a later fragment', concat(part, marked(webSocketFrame(bomb, { opcode: 0 })))],
    ['a ping', marked(webSocketFrame(small.subarray(0, 4), { opcode: 9 }))],
    ['RSV2', marked(webSocketFrame(small), 0x20)],
  ];
  const answers = new Set<string>();
  for (const offer of ['', ...OFFERS])
    for (const [what, message] of bombs) {
      const { socket, reader, head } = await upgraded(run, at, {
        'Sec-WebSocket-Extensions': offer,
      });
      if (/sec-websocket-extensions/i.test(head())) flaws.push(`it accepted '${offer}'`);
      const admission = concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) }));
      socket.write(concat(webSocketFrame(admission), message));
      await once(socket, 'close');
      answers.add(`close ${reader.closeCode}`);
      if (reader.closeCode !== 1002)
        flaws.push(`${what} after the offer '${offer}': close ${reader.closeCode}`);
    }
  for (const accepted of ['', ...OFFERS]) {
    const evil = await compressingServer(run, accepted, marked(webSocketFrame(bomb, UNMASKED)));
    const dialer = client(run);
    const error = await dialer.send(evil, 'echo', NOTHING).catch((thrown: Error) => thrown);
    if (!(error instanceof Error)) flaws.push(`a dialer accepted '${accepted}' and its bomb`);
  }
  return { answer: [...answers].join(', '), honest: await calls(run, at), flaws };
}

async function otherPages(run: ScenarioRun): Promise<Finding> {
  const { server, at } = await site(run);
  const opened: (string | undefined)[] = [];
  const web = ws({
    server,
    upgrade({ headers }) {
      opened.push(headers['origin']);
      return headers['cookie'];
    },
  });
  const backends = [web];
  const victim = own(run, createTransport('ws://127.0.0.1:0', { protocol, backends }));
  serve(victim, {
    echo: (request, { from }) =>
      web.upgradeOf(from) === 'session=ada' ? request : Promise.reject(new Error('no session')),
  });
  await victim.listen();
  const { port } = new URL(at);
  const origins = [
    'https://evil.example',
    `http://evil.example:${port}`,
    'null',
    `http://127.0.0.1:${Number(port) + 1}`,
    'http://127.0.0.1',
    `http://localhost:${port}`,
    `http://127.0.0.1.evil.example:${port}`,
    `http://a.127.0.0.1:${port}`,
    'chrome-extension://abcdefgh',
    'file://',
    `https://evil.example, http://127.0.0.1:${port}`,
  ];
  const flaws: string[] = [];
  const answers = new Set<string>();
  const headers: Readonly<Record<string, string>>[] = [
    ...origins.map((Origin) => ({ Origin })),
    { 'Sec-WebSocket-Origin': 'https://evil.example' },
    // The page of somebody on the network, who can only forge what is sent without TLS.
    { Origin: `http://127.0.0.1:${port}`, 'X-Forwarded-Proto': 'https' },
  ];
  for (const each of headers) {
    const target = { carrier: 'ws', host: '127.0.0.1', port: Number(port), ...NO_KEYS } as const;
    const attacker = await AttackerConnection.connect(target, { Cookie: 'session=ada', ...each });
    run.own(attacker, ({ socket }) => socket.destroy());
    attacker.send(concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) })));
    await attacker.until(() => attacker.goAway !== undefined || attacker.count(Kind.hello) > 0);
    answers.add(attacker.outcome());
    if (attacker.goAway !== 'GO_AWAY 7/11')
      flaws.push(`the page ${JSON.stringify(each)} got ${attacker.outcome()}`);
  }
  if (opened.length > 0) flaws.push(`sessions were opened for the pages ${opened.join(' ')}`);
  const dashboard = await serveDashboard(victim, { token: false });
  run.own(dashboard, (each) => each.close());
  const feed = new URL(dashboard.url);
  const rebound = `evil.example:${feed.port}`;
  for (const [Host, Origin] of [
    [feed.host, 'https://evil.example'],
    [feed.host, 'null'],
    [feed.host, `http://127.0.0.1:${port}`],
    [rebound, `http://${rebound}`],
    [rebound, feed.origin],
  ] as const) {
    const answer = await feedAnswer(run, feed, { Host, Origin });
    answers.add(answer);
    if (answer !== 'GO_AWAY 7/11' && answer !== 'HTTP 403')
      flaws.push(`the dashboard answered a page of ${Origin} at ${Host} with ${answer}`);
  }
  const page = { cookie: 'session=ada', origin: `http://127.0.0.1:${port}` };
  return { answer: [...answers].join(', '), honest: await calls(run, at, page), flaws };
}

/** Returns the answer of a dashboard to the WebSocket of a page. */
async function feedAnswer(
  run: ScenarioRun,
  { origin }: URL,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const { socket, reader, frames } = await upgraded(run, origin, headers, { path: '/feed' });
  if (reader.status !== 101) return `HTTP ${reader.status}`;
  socket.write(webSocketFrame(concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) }))));
  while (frames().length === 0 && !socket.closed) await answered(socket);
  const [first] = frames();
  return first?.kind === Kind.goAway ? `GO_AWAY ${first.code}/${first.reason}` : 'a hello';
}

async function forgedAddresses(run: ScenarioRun): Promise<Finding> {
  const { server, at } = await site(run);
  const seen = new Set<string>();
  const victim = own(
    run,
    createTransport('ws://127.0.0.1:0', {
      protocol,
      limits: { handshakes: { pending: 64, perSource: PER_SOURCE } },
      backends: [
        ws({ server, trustProxy: [PROXY], upgrade: ({ address }) => void seen.add(address) }),
      ],
    }),
  );
  serve(victim, { echo: (request) => request });
  await victim.listen();
  const flaws: string[] = [];
  const answers: string[] = [];
  const kinds: readonly Forgery[] = [
    { name: 'direct', from: STRANGER, header: (n) => `203.0.113.${n}` },
    { name: 'direct, as the proxy', from: OTHER, header: (n) => `203.0.113.${n}, ${PROXY}` },
    { name: 'before the proxy', from: PROXY, header: (n) => `203.0.113.${n}, 198.51.100.1` },
    { name: 'two headers', from: PROXY, header: (n) => `x${n}\r\nX-Forwarded-For: 198.51.100.2` },
    { name: 'spellings', from: PROXY, header: (n) => SPELLINGS[n % SPELLINGS.length]!(n) },
    { name: 'of one /64', from: PROXY, header: (n) => `2001:db8:1:2::${n}` },
    { name: 'trusted names', from: PROXY, header: (n) => `203.0.113.${n}, 198.51.100.4, ${PROXY}` },
  ];
  for (const { name, from, header } of kinds) {
    const statuses = await Promise.all(
      Array.from({ length: FORGED }, async (_, n) => {
        const headers = { 'X-Forwarded-For': header(n + 1) };
        const { reader } = await upgraded(run, at, headers, { from });
        return reader.status;
      }),
    );
    const held = statuses.filter((status) => status === 101).length;
    answers.push(`${held}`);
    if (held > PER_SOURCE)
      flaws.push(`${name}: ${held} handshakes of one source, not ${PER_SOURCE}`);
  }
  const forged = [...seen].filter((address) => address.startsWith('203.0.113.'));
  if (forged.length > 0) flaws.push(`upgrade was told the forged addresses ${forged.join(' ')}`);
  const honest = { succeeded: 0, of: 0 };
  for (let user = 1; user <= HONEST; user++) {
    const { succeeded, of } = await calls(run, at, { 'x-forwarded-for': `192.0.2.${user}` }, 1);
    honest.succeeded += succeeded;
    honest.of += of;
  }
  return { answer: `${answers.join(' ')} of ${FORGED} held`, honest, flaws };
}

/** A way to forge the header. */
interface Forgery {
  readonly name: string;
  /** The address that the attacker, or the proxy that it uses, connects from. */
  readonly from: string;
  /** The header as the victim gets it. */
  readonly header: (attempt: number) => string;
}

/** One address, as an attacker may have several proxies write it. */
const SPELLINGS: readonly ((attempt: number) => string)[] = [
  () => '198.51.100.3',
  () => '::ffff:198.51.100.3',
  () => '::FFFF:c633:6403',
  (n) => `198.51.100.3:${1_024 + n}`,
  (n) => `[::ffff:198.51.100.3]:${1_024 + n}`,
];

/** An HTTP server that listens, and the address of its WebSocket. */
async function site(run: ScenarioRun): Promise<{ readonly server: Server; readonly at: string }> {
  const server = createServer((_request, response) => response.end());
  const port = await run.listening(server);
  run.own(server, (each) => each.closeAllConnections());
  return { server, at: `ws://127.0.0.1:${port}/` };
}

function own<T extends { close(): Promise<void> }>(run: ScenarioRun, transport: T): T {
  return run.own(transport, (each) => each.close());
}

function client(
  run: ScenarioRun,
  headers: Readonly<Record<string, string>> = {},
): Transport<typeof protocol> {
  return own(run, createTransport({ protocol, backends: [ws({ headers })] }));
}

/** Calls of honest clients, each over a connection of its own. */
async function calls(
  run: ScenarioRun,
  at: string,
  headers?: Readonly<Record<string, string>>,
  of = HONEST,
): Promise<{ readonly succeeded: number; readonly of: number }> {
  let succeeded = 0;
  for (let call = 0; call < of; call++)
    await client(run, headers)
      .send(at, 'echo', NOTHING)
      .then(
        () => succeeded++,
        () => {},
      );
  return { succeeded, of };
}

/** Sends an upgrade, and returns the socket when the victim has answered it. */
async function upgraded(
  run: ScenarioRun,
  at: string,
  headers: Readonly<Record<string, string>>,
  { from: localAddress = '127.0.0.1', path = '/' } = {},
) {
  const { hostname, host, port } = new URL(at);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  run.own(socket, (each) => each.destroy());
  const reader = new WebSocketReader();
  const received: Uint8Array[] = [];
  const payloads: Uint8Array[] = [];
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    received.push(chunk);
    payloads.push(...reader.push(chunk));
  });
  socket.write(upgradeRequest(path, { Host: host, ...headers }));
  while (reader.status === 0 && !socket.closed) await answered(socket);
  const head = () => Buffer.concat(received).toString('latin1').split('\r\n\r\n', 1)[0]!;
  const frames = () => new FrameReader().push(concat(...payloads).subarray(PREAMBLE.length));
  return { socket, reader, head, frames };
}

/** Resolves when a socket has received something, or is closed. */
function answered(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('data', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('data', done);
    socket.on('close', done);
  });
}

/** A server that compresses although its client did not offer it. Returns its address. */
async function compressingServer(
  run: ScenarioRun,
  accepted: string,
  message: Uint8Array,
): Promise<string> {
  const server = createNetServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (chunk) => {
      const [, key = ''] = /sec-websocket-key: (\S+)/i.exec(chunk.toString('latin1')) ?? [];
      const accept = createHash('sha1')
        .update(key + GUID)
        .digest('base64');
      const extensions = accepted === '' ? '' : `Sec-WebSocket-Extensions: ${accepted}\r\n`;
      const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: trunkline.v1\r\n${extensions}\r\n`;
      socket.write(concat(text(head), message));
    });
  });
  return `ws://127.0.0.1:${await run.listening(server)}/`;
}

/** Bytes of zeros in a bomb, which deflate packs into a thousandth. */
const BOMB = 64 * 1_024 * 1_024;
/** The bit that marks a compressed message. */
const RSV1 = 0x40;
const OFFERS = [
  'permessage-deflate',
  'permessage-deflate; server_no_context_takeover; client_max_window_bits=15, x-webkit-deflate-frame',
];
const UNMASKED = { masked: false };
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Addresses of this machine: the trusted proxy, and attackers that don't use it. */
const PROXY = '127.0.0.1';
const STRANGER = '127.0.0.3';
const OTHER = '127.0.0.4';
const PER_SOURCE = 4;
/** Upgrades of each forgery. */
const FORGED = 12;
const HONEST = 8;
const NOTHING = new Uint8Array(0);

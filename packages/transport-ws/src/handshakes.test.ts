// Tests handshake slots (limits.handshakes) on real sockets, from the first byte of TCP to the end
// of the hello.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import * as identity from '@trunkline/security';
import {
  createTransport,
  type ObserverEvent,
  serve,
  type TransportError,
} from '@trunkline/transport-core';
import type { TlsOptions } from '@trunkline/transport-core/backend';
import { MutualTls } from '@trunkline/transport-core/node';
import { createManualClock } from '@trunkline/transport-core/testing';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { echo } from './testing/echo.ts';
import { http, raw, refusal, status } from './testing/upgrades.ts';
import { ws } from './ws.ts';
import { WsLayer } from './ws-layer.ts';
import type { WsStreamLayerOptions } from './ws-options.ts';

test('a plain connection holds a place of its source before its upgrade, and keeps it for a second when it fails', async (t) => {
  const { address, clock, rejected, enter } = await node(t, { perSource: 2 });
  const silent = [await connected(address), await connected(address)];
  await turnedAway(address);
  t.is((await rejected()).reason, 'full');
  t.deepEqual(
    silent.map(({ destroyed }) => destroyed),
    [false, false],
  );
  await enter('127.0.0.2');
  silent[0]!.destroy();
  t.is((await rejected()).reason, 'reset');
  await turnedAway(address);
  t.is((await rejected()).reason, 'full');
  clock.advance(1_000);
  await enter();
});

test('a plain connection that sends no upgrade is ended by handshakeTimeout, and reported', async (t) => {
  const { address, clock, rejected } = await node(t, { perSource: 1, handshakeTimeout: 2_000 });
  const silent = await connected(address);
  await turnedAway(address);
  await rejected();
  clock.advance(2_000);
  await gone(silent);
  const error = await rejected();
  t.is(error.reason, 'handshake_timeout');
  t.regex(error.message, /2000 ms/);
});

test('bytes that are not HTTP are reported as wrong_preamble, and HTTP requests with an error as malformed', async (t) => {
  const { address, rejected } = await node(t, {});
  for (const [first, reason, text] of [
    ['TRKL\u0004', 'wrong_preamble', /speaks plain Trunkline/],
    ['SSH-2.0-OpenSSH_9.6\r\n', 'wrong_preamble', /speaks SSH/],
    [`GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 'malformed', /HPE_HEADER_OVERFLOW/],
    ['GET / HTTP/1.1\r\nx y: z\r\n\r\n', 'malformed', /HPE_INVALID_HEADER_TOKEN/],
  ] as const) {
    (await connected(address)).write(first);
    const error = await rejected();
    t.is(error.reason, reason, error.message);
    t.regex(error.message, text);
  }
});

test('plain connections wait unread for their turn before their upgrade', async (t) => {
  const { address, rejected } = await node(t, { pending: 1 });
  const silent = await connected(address);
  const waiting = Array.from({ length: 4 }, () => upgrade(address));
  await Promise.all(waiting.map(({ connected }) => connected));
  await turnedAway(address);
  t.is((await rejected()).reason, 'full');
  t.deepEqual(
    waiting.map(({ heard }) => heard()),
    ['', '', '', ''],
  );
  silent.destroy();
  await waiting[0]!.answer;
  t.regex(waiting[0]!.heard(), /^HTTP\/1\.1 101 /);
  for (const { socket } of waiting) socket.destroy();
});

test('an upgrade that is refused keeps the place of its source for a second, and is reported', async (t) => {
  const { address, clock, rejected } = await node(t, { perSource: 1 });
  t.is(await refusal(new WebSocket(address, 'mqtt')), 400);
  const error = await rejected();
  t.is(error.reason, 'wrong_version');
  t.regex(error.message, /HTTP 400 Sub-protocol trunkline\.v1 required/);
  await turnedAway(address);
  t.is((await rejected()).reason, 'full');
  clock.advance(1_000);
  t.is(await refusal(new WebSocket(`${address}elsewhere`, 'trunkline.v1')), 404);
  t.is((await rejected()).code, 'not_found');
});

test('on a given server an upgrade takes its place before it is answered: above the limit it gets 503, and requests are still served', async (t) => {
  const { server } = await http(
    t,
    createServer((_, response) => response.end('a page')),
  );
  const { address, clock, rejected, enter } = await node(t, { perSource: 1, server });
  const first = new WebSocket(address, 'trunkline.v1');
  await once(first, 'open');
  t.is(await refusal(new WebSocket(address, 'trunkline.v1')), 503);
  t.is((await rejected()).reason, 'full');
  t.is(await status(address.replace('ws:', 'http:')), 200);
  await enter('127.0.0.2');
  first.terminate();
  await rejected();
  clock.advance(1_000);
  t.is(await refusal(new WebSocket(address, 'mqtt')), 400);
  await rejected();
  t.is(await refusal(new WebSocket(address, 'trunkline.v1')), 503);
  await rejected();
  clock.advance(1_000);
  await enter();
});

test('on a given server upgrades wait for their turn, until the handshake timeout or the end of the transport', async (t) => {
  const { server } = await http(t, createServer());
  const { address, clock, rejected, close } = await node(t, { pending: 1, server });
  const first = upgrade(address);
  await first.answer;
  const second = upgrade(address);
  await served(server);
  clock.advance(5_000);
  await Promise.all([gone(first.socket), gone(second.socket)]);
  t.is((await rejected()).reason, 'handshake_timeout');
  t.is((await rejected()).reason, 'handshake_timeout');
  const third = upgrade(address);
  await third.answer;
  const fourth = upgrade(address);
  await served(server);
  const closing = close();
  await gone(fourth.socket);
  t.is(fourth.heard(), '');
  third.socket.destroy();
  await closing;
});

test('under TLS a client that completes its handshake and never upgrades holds its place for one handshakeTimeout in total', async (t) => {
  const { tls, client } = await credentials();
  const { address, clock, rejected } = await node(t, { perSource: 2, tls });
  const silent = [await secure(address, client), await secure(address, client)];
  await turnedAway(address);
  t.is((await rejected()).reason, 'full');
  const leaves = silent[0]!;
  leaves.end();
  t.is((await rejected()).reason, 'reset');
  await turnedAway(address);
  t.is((await rejected()).reason, 'full');
  clock.advance(5_000);
  await gone(silent[1]!);
  t.is((await rejected()).reason, 'handshake_timeout');
});

test('under TLS nothing is kept of a client that does not become a WebSocket', async (t) => {
  const { tls, client } = await credentials();
  const mutual = new MutualTls(tls, 'test');
  const layer = new WsLayer({}, mutual);
  await layer.listen(() => t.fail());
  const silent = await secure(layer.localAddr(), client);
  const wrong = await secure(layer.localAddr(), client);
  t.is(mutual.live.size, 2);
  wrong.write(
    'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  await gone(wrong);
  t.is(mutual.live.size, 1);
  await layer.close();
  await gone(silent);
  t.is(mutual.live.size, 0);
});

test('under TLS nothing is kept of a server that refuses the upgrade, or never answers it', async (t) => {
  const { tls, client } = await credentials();
  const { key, cert } = tls as { key: string; cert: string };
  const server = createTlsServer({ key, cert }, (_, response) => response.writeHead(503).end());
  const { address } = await http(t, server);
  const mutual = new MutualTls(client, 'test');
  const clock = createManualClock();
  const layer = new WsLayer({ clock }, mutual);
  const dial = () => layer.dial(`wss://${address}/`, { timeout: 5_000 });
  await t.throwsAsync(dial(), { message: /503/ });
  t.is(mutual.live.size, 0);
  const requested = once(server, 'upgrade');
  const late = dial();
  await requested;
  t.is(mutual.live.size, 1);
  clock.advance(5_000);
  await t.throwsAsync(late, { message: /dialTimeout/ });
  t.is(mutual.live.size, 0);
});

interface NodeOptions extends Pick<WsStreamLayerOptions, 'server' | 'tls'> {
  readonly pending?: number;
  readonly perSource?: number;
  readonly handshakeTimeout?: number;
}

async function node(
  t: ExecutionContext,
  { pending, perSource, handshakeTimeout, server, tls }: NodeOptions,
) {
  const clock = createManualClock();
  const errors: TransportError[] = [];
  let heard = () => {};
  const event = (event: ObserverEvent) => {
    if (event.type !== 'rejected') return;
    errors.push(event.error);
    heard();
  };
  const limits = { handshakes: { pending, perSource } };
  const transport = createTransport('ws://127.0.0.1:0', {
    protocol: echo,
    clock,
    limits,
    handshakeTimeout,
    observer: { event },
    backends: [ws({ server, tls })],
  });
  await transport.listen();
  serve(transport, { echo: (request) => request });
  t.teardown(() => transport.close());
  const address = transport.localAddr();
  /** Returns the errors of rejected connections, one per call. */
  const rejected = async (): Promise<TransportError> => {
    while (errors.length === 0) await new Promise<void>((resolve) => (heard = resolve));
    return errors.shift()!;
  };
  /**
   * Opens a WebSocket from the given source, waits until it is accepted, and aborts it during the
   * hello.
   */
  const enter = async (localAddress = '127.0.0.1') => {
    const socket = new WebSocket(address, 'trunkline.v1', { localAddress });
    await once(socket, 'open');
    socket.terminate();
    t.is((await rejected()).reason, 'reset');
  };
  return { address, clock, close: () => transport.close(), rejected, enter };
}

async function credentials(): Promise<{ tls: TlsOptions; client: TlsOptions }> {
  const next = await tlsNodes(identity);
  return { tls: next(), client: next() };
}

async function connected(address: string): Promise<Socket> {
  const socket = raw(address);
  await once(socket, 'connect');
  return socket;
}

/** Connects, and expects to be disconnected before a byte is read. */
const turnedAway = (address: string) => gone(raw(address));

async function secure(address: string, { key, cert }: TlsOptions) {
  const { hostname, port } = new URL(address);
  const socket = connectTls({
    host: hostname,
    port: Number(port),
    key: key as string,
    cert: cert as string,
    rejectUnauthorized: false,
  });
  socket.on('error', () => {});
  socket.resume();
  // A TLS 1.3 server sends its session ticket after the client's last handshake message, so the
  // handshake is complete at both ends.
  await once(socket, 'session');
  // Bytes written inside that event would stay in OpenSSL's buffer.
  await new Promise(setImmediate);
  return socket;
}

/** Sends a valid upgrade and collects the response. */
function upgrade(address: string) {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  let heard = '';
  socket.on('error', () => {});
  const connected = once(socket, 'connect');
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: trunkline.v1\r\n\r\n`,
  );
  const answer = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      resolve();
    });
  });
  return { socket, connected, answer, heard: () => heard };
}

function gone(socket: Socket): Promise<unknown> {
  return socket.destroyed
    ? Promise.resolve()
    : new Promise((resolve) => socket.once('close', resolve));
}

/** Resolves when the server has received one more upgrade. */
async function served(server: ReturnType<typeof createServer>): Promise<void> {
  await once(server, 'upgrade');
}

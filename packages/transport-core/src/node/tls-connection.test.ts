// Tests of aborting connections with and without TLS.

import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, createIdentity } from '@trunkline/security';
import { systemClock, type TransportError } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { MutualTls } from './mutual-tls.ts';
import { cutOff, type TlsConnection } from './tls-remote.ts';

test('a TLS socket is reset with RST, at either end and at once', async (t) => {
  for (const side of ['near', 'far'] as const) {
    const { near, far, nearRaw, farRaw, outer, inner } = await secured(t);
    // Node 20 reports a reset of a TLSSocket as an end, so the relay's socket is checked instead.
    const [cut, raw, wire] = side === 'near' ? [near, nearRaw, outer] : [far, farRaw, inner];
    const error = once(wire, 'error') as Promise<[Error & { code?: string }]>;
    wire.on('end', () => t.fail('it is no end in order'));
    cut.reset();
    t.true(raw.destroyed);
    t.is((await error)[0].code, 'ECONNRESET', side);
  }
});

test('a bare TCP socket is reset with RST', async (t) => {
  const { server, accepted } = listening(t);
  const near = connect(await portOf(server), '127.0.0.1');
  const far = await accepted;
  far.resume();
  const error = once(far, 'error') as Promise<[Error & { code?: string }]>;
  await once(near, 'connect').catch(() => {});
  cutOff(near);
  t.true(near.destroyed);
  t.is((await error)[0].code, 'ECONNRESET');
});

test('a socket without reset is closed: a pipe, and one that is destroyed', async (t) => {
  const path =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\trunkline-${process.pid}`
      : join(tmpdir(), `trunkline-${process.pid}.sock`);
  t.teardown(() => rmSync(path, { force: true }));
  const { server, accepted } = listening(t);
  server.listen(path);
  await once(server, 'listening');
  const near = connect(path);
  near.on('error', (error) => t.fail(String(error)));
  await once(near, 'connect');
  const far = await accepted;
  far.resume();
  const gone = once(far, 'close');
  cutOff(near);
  t.true(near.destroyed);
  await gone;
  cutOff(near);
  cutOff(far);
  t.pass();
});

test('a peer may use one local port for two of our addresses', async (t) => {
  const [own, ...others] = await Promise.all([mutualTls(), mutualTls(), mutualTls()]);
  const accepted: TlsConnection[] = [];
  let allAccepted = () => {};
  const both = new Promise<void>((resolve) => (allAccepted = resolve));
  const acceptor = acceptorOf(t, own, (given) => {
    if (accepted.push(given) === 2) allAccepted();
  });
  const raws: Socket[] = [];
  const localPort = await freePort();
  for (const _ of others) {
    const server = createServer({ pauseOnConnect: true });
    const port = await portOf(server);
    const taken = once(server, 'connection').then(([socket]) => acceptor.take(socket));
    const raw = connect({ port, localPort, host: '127.0.0.1', localAddress: '127.0.0.1' });
    raws.push(raw);
    t.teardown(() => {
      raw.destroy();
      server.close();
    });
    await Promise.all([once(raw, 'connect'), taken]);
  }
  t.is(raws[0]!.localPort, raws[1]!.localPort);
  for (const [i, tls] of others.entries()) {
    const secured = new Promise<TlsConnection>((done, failed) => {
      tls
        .secure(raws[i]!, { address: 'there', nodeId: own.nodeId, done, failed })
        .on('error', failed);
    });
    await secured;
  }
  await Promise.race([both, ...raws.map((raw) => once(raw, 'close'))]);
  t.is(accepted.length, 2);
  for (const [i, connection] of accepted.entries()) {
    t.is(connection.nodeId, others[i]!.nodeId);
    const gone = once(raws[i]!, 'close');
    connection.reset();
    await gone;
  }
});

test('a dial whose end gets another authority during the TLS handshake fails', async (t) => {
  const [tls, peer] = await Promise.all([mutualTls(), mutualTls()]);
  const { raw, socket } = await waiting(t);
  const error = new Promise<TransportError>((failed) => {
    const done = () => t.fail();
    tls.secure(raw, { address: 'there', nodeId: peer.nodeId, done, failed });
  });
  tls.update({ ca: (await createAuthority()).cert });
  acceptorOf(t, peer, () => {}).take(socket);
  const { reason, sent, message } = await error;
  t.deepEqual([reason, sent, tls.live.size], ['reset', false, 0]);
  t.regex(message, /updateTls/);
});

test('an accepted connection whose end gets another authority during the TLS handshake ends', async (t) => {
  const [tls, peer] = await Promise.all([mutualTls(), mutualTls()]);
  const { raw, socket } = await waiting(t);
  const acceptor = acceptorOf(t, tls, (accepted) => {
    t.fail();
    accepted.socket.destroy();
  });
  acceptor.take(socket);
  tls.update({ ca: (await createAuthority()).cert });
  const ended = once(socket, 'close');
  const nothing = () => {};
  peer
    .secure(raw, { address: 'there', nodeId: tls.nodeId, done: nothing, failed: nothing })
    .on('error', nothing);
  await ended;
  t.is(tls.live.size, 0);
});

test('TLS handshakes in progress survive the renewal of the certificate, read again with the authority', async (t) => {
  const { issue, cert: ca } = await authority;
  const identity = createIdentity();
  const options = { key: identity.key, cert: await issue(identity), ca };
  const tls = new MutualTls(options, 'test');
  const { raw, socket } = await waiting(t);
  const accepted = new Promise<TlsConnection>((accept) => {
    acceptorOf(t, tls, accept).take(socket);
  });
  const dialed = new Promise<TlsConnection>((done, failed) => {
    tls.secure(raw, { address: 'there', nodeId: tls.nodeId, done, failed });
  });
  tls.update({ cert: await issue(identity), ca: [Buffer.from(ca)] });
  for (const secured of await Promise.all([accepted, dialed])) {
    secured.socket.on('error', () => {}).destroy();
    secured.release();
  }
  t.is(tls.caVersion, 0);
});

/** Returns both sockets of a TCP connection on which neither end has begun its TLS handshake. */
async function waiting(t: ExecutionContext) {
  const server = createServer({ pauseOnConnect: true });
  const connection = once(server, 'connection') as Promise<[Socket]>;
  const raw = connect(await portOf(server), '127.0.0.1');
  const [socket] = await connection;
  t.teardown(() => {
    raw.destroy();
    socket.destroy();
    server.close();
  });
  return { raw, socket };
}

/**
 * Returns both ends of a TLS connection, the sockets below them, and the sockets of the relay
 * between them.
 */
async function secured(t: ExecutionContext) {
  const [a, b] = [await mutualTls(), await mutualTls()];
  let arrived = (_secured: TlsConnection) => {};
  const far = new Promise<TlsConnection>((resolve) => (arrived = resolve));
  const acceptor = acceptorOf(t, b, (given) => arrived(given));
  const server = createServer({ pauseOnConnect: true });
  t.teardown(() => void server.close());
  const raw = new Promise<Socket>((resolve) => {
    server.on('connection', (socket) => {
      acceptor.take(socket);
      resolve(socket);
    });
  });
  const port = await portOf(server);
  const relay = listening(t);
  const nearRaw = connect(await portOf(relay.server), '127.0.0.1');
  const secure = new Promise<TlsConnection>((done, failed) => {
    a.secure(nearRaw, { address: 'there', nodeId: undefined, done, failed }).on('error', () => {});
  });
  const outer = await relay.accepted;
  const inner = connect(port, '127.0.0.1');
  outer.on('data', (chunk) => inner.write(chunk));
  inner.on('data', (chunk) => outer.write(chunk));
  const [near, farSecured, farRaw] = [await secure, await far, await raw];
  for (const socket of [nearRaw, farRaw, outer, inner, near.socket, farSecured.socket]) {
    socket.on('error', () => {});
    t.teardown(() => void socket.destroy());
  }
  // Once this data has arrived, the last handshake messages have arrived, too.
  for (const [from, to] of [
    [near.socket, farSecured.socket],
    [farSecured.socket, near.socket],
  ] as const) {
    const crossed = once(to, 'data');
    from.write('x');
    await crossed;
  }
  for (const { socket } of [near, farSecured]) socket.resume();
  return { near, far: farSecured, nearRaw, farRaw, outer, inner };
}

function acceptorOf(t: ExecutionContext, tls: MutualTls, accept: (far: TlsConnection) => void) {
  const acceptor = tls.acceptor({ clock: systemClock, listen: undefined, tune() {}, accept });
  t.teardown(() => acceptor.close());
  return acceptor;
}

/** Listens on a free port, and returns it. */
async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

const authority = createAuthority();

/** Returns the TLS of a new node; all nodes trust one authority. */
async function mutualTls(): Promise<MutualTls> {
  const identity = createIdentity();
  const { issue, cert } = await authority;
  return new MutualTls({ key: identity.key, cert: await issue(identity), ca: cert }, 'test');
}

function listening(t: ExecutionContext): { server: Server; accepted: Promise<Socket> } {
  const server = createServer();
  t.teardown(() => void server.close());
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  return { server, accepted };
}

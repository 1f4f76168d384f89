// Opens connections from an address of its own, as fast as its command allows: `flooder.js
// <address>`.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { report, runCommands } from '../commands.ts';
import type { FloodKind } from './flood-kinds.ts';

export interface FlooderCommand {
  /** The kind of flood; undefined if nothing is to be opened. */
  readonly kind: FloodKind | undefined;
  /** Connections to open a second. */
  readonly rate: number;
  /** The most connections open at the same time. */
  readonly atOnce: number;
  readonly milliseconds: number;
}

export interface FlooderReport {
  readonly counts?: FlooderCounts;
}

export interface FlooderCounts {
  readonly opened: number;
  /** Connections opened a second. */
  readonly rate: number;
  /** TLS handshakes that succeeded at the flooder's end. */
  readonly handshakes: number;
}

const [address] = process.argv.slice(2);
const port = Number(address!.slice(address!.lastIndexOf(':') + 1));
const clientHello = await recordHello();

runCommands<FlooderCommand, FlooderReport>(flood, () => {});
report<FlooderReport>({});

async function flood({ kind, rate, atOnce, milliseconds }: FlooderCommand): Promise<FlooderReport> {
  const sockets = new Set<Socket>();
  const counts = { opened: 0, handshakes: 0 };
  const begin = performance.now();
  for (;;) {
    const time = performance.now() - begin;
    if (time >= milliseconds) break;
    const due = kind === undefined ? 0 : (time / 1_000) * rate;
    while (counts.opened < due && sockets.size < atOnce) {
      const socket = open(kind!, counts);
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      counts.opened++;
    }
    if (sockets.size < atOnce) await sleep(1);
    else await turn();
  }
  for (const socket of sockets) socket.resetAndDestroy();
  const seconds = (performance.now() - begin) / 1_000;
  return { counts: { ...counts, rate: counts.opened / seconds } };
}

function open(kind: FloodKind, counts: { opened: number; handshakes: number }): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: SOURCE });
  if (kind === 'handshake') {
    const secure = connectTls({ socket, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
    secure.on('error', () => {});
    secure.once('secureConnect', () => {
      counts.handshakes++;
      socket.resetAndDestroy();
    });
  } else if (kind === 'hello') {
    socket.write(clientHello);
    socket.once('data', () => socket.resetAndDestroy());
  } else {
    // The answer of the server is discarded unread.
    if (counts.opened % 2 === 0) socket.write(clientHello);
    socket.resume();
  }
  return socket;
}

/** Records the bytes that a TLS client sends first. */
async function recordHello(): Promise<Uint8Array> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectTls({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    minVersion: 'TLSv1.3',
  });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Uint8Array];
  client.destroy();
  socket.destroy();
  server.close();
  return Uint8Array.from(hello);
}

/** A loopback address other than the honest peer's; Linux has all of 127.0.0.0/8. */
const SOURCE = '127.0.0.2';

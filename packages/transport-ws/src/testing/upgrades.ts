// Servers and clients of upgrades, for tests.

import { once } from 'node:events';
import { request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { WsStreamLayerOptions } from '../ws-options.ts';
import { createWsStreamLayer } from '../ws-stream-layer.ts';

/**
 * Creates a layer that listens, and records the connections that it accepts, with the reasons of
 * those that it refuses.
 */
export async function listening(t: ExecutionContext, options: WsStreamLayerOptions = {}) {
  const layer = createWsStreamLayer(options);
  const refused: (string | undefined)[] = [];
  await layer.listen((connection) => {
    refused.push(connection.refused?.reason);
    connection.attach({ data() {}, frames() {}, drained() {}, closed() {} });
    t.teardown(() => connection.destroy());
  });
  t.teardown(() => layer.close());
  return { layer, address: layer.localAddr(), accepted: () => refused.length, refused };
}

/** Starts an HTTP server on a free port. */
export async function http(t: ExecutionContext, server: Server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Starts a server of plain `ws` on a free port. It takes our sub-protocol by default. */
export async function webSockets(
  t: ExecutionContext,
  handleProtocols: ServerOptions['handleProtocols'] = () => 'trunkline.v1',
) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols });
  t.teardown(() => server.close());
  await once(server, 'listening');
  return { server, address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/** Opens a TCP connection to the port of an address, and discards what arrives. */
export function raw(address: string) {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

/** Dials with a layer of default options. */
export function dial(address: string) {
  return createWsStreamLayer().dial(address, { timeout: 10_000 });
}

/** Checks that the upgrade succeeds with our sub-protocol. */
export async function taken(t: ExecutionContext, socket: WebSocket): Promise<void> {
  await once(socket, 'open');
  t.is(socket.protocol, 'trunkline.v1');
  socket.terminate();
}

/** Returns the HTTP status with which the upgrade is refused. */
export function refusal(socket: WebSocket): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, { statusCode }) => {
      resolve(statusCode);
      socket.terminate();
    });
    socket.on('open', () => reject(new Error('It was to be refused')));
    socket.on('error', () => {});
  });
}

/** Returns the HTTP status of a plain request. */
export function status(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, (response) => {
      resolve(response.statusCode);
      response.resume();
    })
      .on('error', reject)
      .end();
  });
}

/** Returns the error of a promise that must reject. */
export async function rejection(promise: Promise<unknown>): Promise<TransportError> {
  return promise.then(
    () => {
      throw new Error('It was to fail');
    },
    (error: TransportError) => error,
  );
}

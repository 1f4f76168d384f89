// HTTP servers and TLS options for libraries over WebSocket.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { tlsOf } from '../../dist/secure/nodes.js';

/** @param {string} carrier */
export async function serverOf(carrier) {
  return carrier === 'TLS'
    ? createSecureServer({ ...(await tlsOf('server')), requestCert: true })
    : createServer();
}

/** Listens on a free port of loopback, and returns it with the host. */
export async function listening(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `127.0.0.1:${port}`;
}

/** Returns the options of a client. It trusts keys instead of host names, as Trunkline does. */
export async function clientOptions(carrier) {
  return carrier === 'TLS'
    ? { ...(await tlsOf('client')), checkServerIdentity: () => undefined }
    : {};
}

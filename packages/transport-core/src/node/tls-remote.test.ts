// Tests of the trust in the other end of a TLS connection, when the lists change.

import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { createIdentity, selfSigned } from '@trunkline/security';
import type { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { pluck } from '../testing/pluck.ts';
import { TlsRemote, type Trust } from './tls-remote.ts';

const identity = createIdentity();
const { nodeId } = identity;
const all: Trust = { self: 'me', hasAuthority: true, allow: undefined, deny: new Set() };
const none: Trust = { ...all, deny: new Set([nodeId]) };

/** A peer that is trusted, and the live peers of its node. */
async function trusted() {
  const live = new Set<TlsRemote>();
  const peer = new TlsRemote(await securedSocket(), undefined, all, live);
  return { live, peer };
}

/** Returns a socket with the node's certificate. */
async function securedSocket(): Promise<TLSSocket> {
  const certificate = new X509Certificate(await selfSigned(identity));
  return { authorized: true, getPeerX509Certificate: () => certificate } as unknown as TLSSocket;
}

test('a peer that is denied before its connection is handed over is refused', async (t) => {
  const { live, peer } = await trusted();
  t.is(peer.refused, undefined);
  peer.reconsider(none);
  t.is(peer.refused?.reason, 'denied');
  t.is(live.size, 0);
});

test('a peer that is denied later is revoked once, with the reason', async (t) => {
  const { live, peer } = await trusted();
  const errors: TransportError[] = [];
  peer.watch((error) => errors.push(error));
  peer.reconsider(all);
  t.deepEqual([errors.length, live.size], [0, 1]);
  peer.reconsider(none);
  t.deepEqual(pluck(errors, 'reason'), ['denied']);
  t.is(live.size, 0);
});

test('the deny list takes precedence over the allow list, and over this node itself', async (t) => {
  const trust = { ...none, allow: new Set([nodeId]), self: nodeId };
  const socket = await securedSocket();
  t.is(new TlsRemote(socket, nodeId, trust, new Set()).refused?.reason, 'denied');
});

test('nothing is kept of a peer whose connection has ended', async (t) => {
  const { live, peer } = await trusted();
  peer.watch(() => t.fail());
  peer.release();
  t.is(live.size, 0);
});

// Identity tests of WebSocket under mutual TLS.

import { createAuthority, createIdentity, selfSigned } from '@trunkline/identity';
import { identitySuite, type TlsPapers, tlsPapers, WEAK_KEYS } from '@trunkline/transport-testkit';
import test from 'ava';
import { createWsTransport } from './create-ws-transport.ts';
import { createNetStreamLayer } from './testing/net-streams.ts';
import { rawWssLayer, renegotiate } from './testing/raw-wss.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const day = (fromNow: number) => new Date(Date.now() + fromNow * 86_400_000);
const { papers, alone, certificates } = await tlsPapers({
  createIdentity,
  createAuthority,
  selfSigned,
  day,
});

identitySuite<TlsPapers>(test, {
  name: 'wss',
  papers,
  transport({ tls }, options, { lists, address }) {
    const transport = createWsTransport({
      ...options,
      bindAddr: address,
      tls: { ...tls, ...lists },
    });
    return {
      transport,
      update: ({ allow, deny, papers: next }) =>
        transport.updateTls({ allow, deny, ...(next && { ...next.tls, ca: next.tls.ca ?? null }) }),
    };
  },
  layer: ({ tls }) => createWsStreamLayer({ tls }),
  plain: {
    transport: (options) => createWsTransport({ ...options, bindAddr: '127.0.0.1:0' }),
    toSecured: (address) => address.replace('wss://', 'ws://'),
    fromSecured: (address) => address.replace('ws://', 'wss://'),
  },
  beneath: {
    layer: createNetStreamLayer,
    under: (address) => new URL(address).host,
    over: (address) => `wss://${address}/`,
  },
  untrusting: { alone },
  // The version in the header of an unencrypted record.
  ignoredBytes: 1,
  certificates: {
    ...certificates,
    strange: {
      'an RSA key': { make: async () => rawWssLayer(WEAK_KEYS.rsa), says: /rsa, 2048 bits/ },
      'a P-384 key': { make: async () => rawWssLayer(WEAK_KEYS.p384), says: /secp384r1/ },
      'no certificate': { make: async () => rawWssLayer({}), says: /it presented none/ },
    },
  },
  tls: {
    client({ papers: { tls }, session, maxVersion, alpn, servername }) {
      const layer = rawWssLayer({
        key: tls.key,
        cert: tls.cert,
        session: session as Buffer,
        maxVersion,
        minVersion: 'TLSv1.2',
        ...(alpn && { ALPNProtocols: [...alpn] }),
        ...(servername !== undefined && { servername }),
      });
      return {
        layer,
        reused: layer.reused,
        sessions: () =>
          [...layer.sessions, layer.last().getSession()].filter((each) => each !== undefined),
        renegotiated: () => renegotiate(layer.last()),
      };
    },
  },
});

// Identity tests of TCP under mutual TLS.

import { createAuthority, createIdentity, selfSigned } from '@trunkline/identity';
import { identitySuite, type TlsPapers, tlsPapers, WEAK_KEYS } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTcpTransport } from './create-tcp-transport.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';
import { rawTlsLayer, renegotiate } from './testing/raw-tls.ts';

const day = (fromNow: number) => new Date(Date.now() + fromNow * 86_400_000);
const { papers, alone, certificates } = await tlsPapers({
  createIdentity,
  createAuthority,
  selfSigned,
  day,
});

identitySuite<TlsPapers>(test, {
  name: 'tls',
  papers,
  transport({ tls }, options, { lists, address }) {
    const transport = createTcpTransport({
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
  layer: ({ tls }) => createTcpStreamLayer({ tls }),
  plain: { transport: (options) => createTcpTransport(options) },
  beneath: { layer: () => createTcpStreamLayer() },
  untrusting: { alone },
  // The version in the headers of unencrypted records.
  ignoredBytes: 1,
  certificates: {
    ...certificates,
    strange: {
      'an RSA key': { make: async () => rawTlsLayer(WEAK_KEYS.rsa), says: /rsa, 2048 bits/ },
      'a P-384 key': { make: async () => rawTlsLayer(WEAK_KEYS.p384), says: /secp384r1/ },
      'no certificate': { make: async () => rawTlsLayer({}), says: /it presented none/ },
    },
  },
  tls: {
    client({ papers: { tls }, session, maxVersion, alpn, servername }) {
      const layer = rawTlsLayer({
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

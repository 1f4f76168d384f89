// Tests of the credentials that the suites make for nodes with certificates.

import test from 'ava';
import { tlsNodes } from './tls-credentials.ts';

test('transports that are created soon after each other are different nodes under TLS', async (t) => {
  let made = 0;
  const next = await tlsNodes({
    createIdentity: () => {
      const key = `key ${made++}`;
      return { key, nodeId: key, publicKey: new TextEncoder().encode(key) };
    },
    createAuthority: async () => ({ cert: 'ca', issue: async (key) => `certificate of ${key}` }),
  });
  const keys = Array.from({ length: 50 }, () => next().key);
  t.is(new Set(keys).size, 50);
});

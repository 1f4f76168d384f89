// Tests that every process derives the same keys and valid certificates.

import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { identityOf, tlsOf } from './nodes.ts';

test('every process derives the same keys, different ones for each role, and certificates that are valid in all of them', async (t) => {
  t.is(identityOf('server').nodeId, identityOf('server').nodeId);
  t.not(identityOf('server').nodeId, identityOf('client').nodeId);
  const [server, client] = await Promise.all([tlsOf('server'), tlsOf('client')]);
  const authority = new X509Certificate(client.ca as string);
  t.true(new X509Certificate(server.cert as string).verify(authority.publicKey));
});

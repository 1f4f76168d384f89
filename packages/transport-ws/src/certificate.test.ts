// Tests that a snapshot has the certificate that a transport presents. certificate.test.ts of the
// TCP transport has the details.

import { createAuthority, createIdentity } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import test from 'ava';
import { echo } from './testing/echo.ts';
import { ws } from './ws.ts';

test('a snapshot has the end of the certificate, and its name', async (t) => {
  const authority = await createAuthority();
  const identity = createIdentity();
  const notAfter = new Date(Date.UTC(2030, 0, 2, 3, 4, 5));
  const cert = await authority.issue(identity, { name: 'node-7', notAfter });
  const tls = { key: identity.key, cert, ca: authority.cert };
  const transport = createTransport('wss://127.0.0.1:0', {
    protocol: echo,
    backends: [ws({ tls })],
  });
  t.like(transport.snapshot(), { name: 'node-7', certificateEnd: notAfter.getTime() });
  await transport.close();
});

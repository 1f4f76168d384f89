// Tests what a snapshot tells about the certificate that a transport presents.

import { createAuthority, createIdentity } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import test from 'ava';
import { tcp } from './index.ts';
import { echo as protocol } from './testing/echo.ts';

test('a snapshot has the end of the certificate, and its name unless there is another', async (t) => {
  const [authority, other] = await Promise.all(
    [2041, 2035].map((year) => createAuthority({ notAfter: new Date(Date.UTC(year, 0)) })),
  );
  const identity = createIdentity();
  const notAfter = new Date(Date.UTC(2040, 0, 2, 3, 4, 5));
  const tls = {
    key: identity.key,
    cert: await authority!.issue(identity, { name: 'node-7', notAfter }),
    ca: authority!.cert,
  };
  const backend = tcp({ tls });
  const transport = createTransport('tcp://127.0.0.1:0', { protocol, backends: [backend] });
  const named = createTransport({ protocol, backends: [backend], name: 'blue' });
  const seen = () =>
    [transport, named].map((each) => {
      const { name, certificateEnd } = each.snapshot();
      return [name, certificateEnd];
    });
  t.deepEqual(seen(), [
    ['node-7', notAfter.getTime()],
    ['blue', notAfter.getTime()],
  ]);
  // The first certificate of a chain that ends counts, and a common name that is the node id is none.
  await backend.updateTls({
    cert: `${await authority!.issue(identity, { notAfter })}${other!.cert}`,
  });
  t.deepEqual(seen(), [
    [undefined, Date.UTC(2035, 0)],
    ['blue', Date.UTC(2035, 0)],
  ]);
  await transport.close();
  await named.close();
});

// Restarts clusters under load: they serve over TLS, over WebSocket, and beside an HTTP server.

import { createIdentity, selfSigned } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import test from '../testing/serial.ts';
import { Load } from './testing/clients.ts';
import { protocol } from './testing/protocol.ts';
import { start } from './testing/start.ts';

for (const carrier of ['tls', 'ws', 'http'] as const) {
  test(`no call fails during a restart over ${carrier}`, async (t) => {
    const [server, client] = [createIdentity(), createIdentity()];
    const tls = { key: client.key, cert: await selfSigned(client), allow: [server.nodeId] };
    const backend = carrier === 'tls' ? tcp({ tls }) : ws();
    const { cluster, address } = await start(t, {
      worker: new URL('./testing/carrier.child.js', import.meta.url),
      args: [carrier],
      env: { KEY: server.key, CERT: await selfSigned(server), ALLOW: client.nodeId },
    });
    const clients = Array.from({ length: 16 }, () => {
      const transport = createTransport({ protocol, backends: [backend] });
      t.teardown(() => transport.close());
      return transport;
    });
    const load = new Load(clients, address);
    await load.more(200);
    await cluster.restart();
    await load.more(200);
    await load.stop();
    t.deepEqual(load.failures, []);
    const { workers } = await cluster.snapshot();
    if (carrier === 'tls')
      t.deepEqual(
        [
          ...new Set(
            workers.flatMap(({ transport }) => transport!.connections.map((each) => each.nodeId)),
          ),
        ],
        [client.nodeId],
      );
  });
}

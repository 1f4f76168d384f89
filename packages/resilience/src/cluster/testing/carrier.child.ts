// The module of the workers that serve over TLS or WebSocket: `carrier.child.js <carrier>`.

import { createServer } from 'node:http';
import process from 'node:process';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { joinCluster } from '../../index.cluster.ts';
import { protocol } from './protocol.ts';

const [, , carrier = ''] = process.argv;
const http = createServer();
if (carrier === 'http') await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
const { KEY = '', CERT = '', ALLOW = '' } = process.env;
const [address, backend] = {
  tls: () => ['tcp://127.0.0.1:0', tcp({ tls: { key: KEY, cert: CERT, allow: [ALLOW] } })] as const,
  ws: () => ['ws://127.0.0.1:0', ws()] as const,
  http: () => ['ws://127.0.0.1:0/rpc', ws({ server: http })] as const,
}[carrier]!();
const transport = createTransport(address, { protocol, backends: [backend] });
serve(transport, {
  who: () => new TextEncoder().encode(String(process.pid)),
  echo: (request) => request,
  slow: async (request) => {
    await transport.clock.sleep(5);
    return request;
  },
  block: () => {},
  crash: () => {},
});
await transport.listen();
joinCluster(transport, { servers: carrier === 'http' ? [http] : [] });

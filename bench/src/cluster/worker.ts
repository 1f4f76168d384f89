// The module of the workers: `worker.js <address>` echoes.

import { joinCluster } from '@trunkline/resilience/cluster';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { protocol } from './protocol.ts';

const transport = createTransport(process.argv[2]!, { protocol, backends: [tcp()] });
serve(transport, { echo: (request) => request });
await transport.listen();
joinCluster(transport);

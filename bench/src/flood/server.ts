// The server that is flooded: `server.js <perSource>`. It counts what becomes of connections, and how many sockets it has at most.

import { serve } from '@trunkline/transport-core';
import { createTcpTransport } from '@trunkline/transport-tcp';
import { cpuTime } from '../cpu-time.ts';
import { obey, report } from '../orders.ts';
import { tlsOf } from '../secure/nodes.ts';
import { protocol } from './protocol.ts';

/** What was counted since the last time it was asked. */
export type ServerOrder = { readonly ask: 'counts' };

export interface ServerReport {
  readonly address?: string;
  readonly counts?: ServerCounts;
}

export interface ServerCounts {
  /** Connections that came up. */
  readonly up: number;
  /** Closed at once, for want of a place. */
  readonly refused: number;
  /** That had a place and did not come through: they went, or their time was over, or TLS failed. */
  readonly failed: number;
  /** Sockets that were open at the same time, looked at every few milliseconds. */
  readonly sockets: number;
  /** Nanoseconds of CPU; absent where the system doesn't tell. */
  readonly cpu?: number | undefined;
}

const [perSource] = process.argv.slice(2);
let counts = { up: 0, refused: 0, failed: 0, sockets: 0 };
let cpu = cpuTime(process.pid);

const transport = createTcpTransport({
  protocol,
  tls: await tlsOf('server'),
  limits: { handshakes: { perSource: Number(perSource) } },
  observer: {
    event(event) {
      if (event.type === 'up') counts.up++;
      else if (event.type !== 'rejected') return;
      else if (event.error.reason === 'full') counts.refused++;
      else counts.failed++;
    },
  },
});
serve(transport, { echo: (request) => request });
await transport.listen();

const looking = setInterval(() => {
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  counts.sockets = Math.max(counts.sockets, sockets);
}, 20);

obey<ServerOrder, ServerReport>(
  async () => {
    const now = cpuTime(process.pid);
    const told = { ...counts, cpu: cpu === undefined || now === undefined ? undefined : now - cpu };
    counts = { up: 0, refused: 0, failed: 0, sockets: 0 };
    cpu = now;
    return { counts: told };
  },
  () => {
    clearInterval(looking);
    void transport.close();
  },
);
report<ServerReport>({ address: transport.localAddr() });

// The server that is flooded: `server.js <perSource>`. It counts the fate of connections and the
// most sockets open at a time.

import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { report, runCommands } from '../commands.ts';
import { cpuTime } from '../cpu-time.ts';
import { tlsOf } from '../secure/nodes.ts';
import { protocol } from './protocol.ts';

/** Asks for the counts since the last such question. */
export type ServerCommand = { readonly type: 'counts' };

export interface ServerReport {
  readonly address?: string;
  readonly counts?: ServerCounts;
}

export interface ServerCounts {
  /** Connections that came up. */
  readonly up: number;
  /** Connections closed at once because no slot was free. */
  readonly refused: number;
  /** Connections that had a slot and failed: they disconnected, timed out, or TLS failed. */
  readonly failed: number;
  /** The most sockets open at the same time, sampled every 20 ms. */
  readonly sockets: number;
  /** Nanoseconds of CPU; absent if the system does not report it. */
  readonly cpu?: number | undefined;
}

const [perSource] = process.argv.slice(2);
let counts = { up: 0, refused: 0, failed: 0, sockets: 0 };
let cpu = cpuTime(process.pid);

const transport = createTransport('tcp://127.0.0.1:0', {
  protocol,
  limits: { handshakes: { perSource: Number(perSource) } },
  observer: {
    event(event) {
      if (event.type === 'up') counts.up++;
      else if (event.type !== 'rejected') return;
      else if (event.error.reason === 'full') counts.refused++;
      else counts.failed++;
    },
  },
  backends: [tcp({ tls: await tlsOf('server') })],
});
serve(transport, { echo: (request) => request });
await transport.listen();

const looking = setInterval(() => {
  const sockets = process
    .getActiveResourcesInfo()
    .filter((name) => name === 'TCPSocketWrap').length;
  counts.sockets = Math.max(counts.sockets, sockets);
}, 20);

runCommands<ServerCommand, ServerReport>(
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

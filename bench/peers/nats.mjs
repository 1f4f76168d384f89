// NATS, after the README of `nats`: a responder and `request`, over a server of its own that runs
// on the responder's core. Its CPU is the nats-server's besides, which the table does not count. A
// server takes messages of 1 MiB unless it is told otherwise.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { startServer } from '../dist/gossip-processes/nats-server.js';

const SUBJECT = 'bench.answer';

/** @type {import('../dist/adapters/adapter.js').Adapter} */
export const adapter = {
  name: 'nats',

  async serve(answer) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-nats-'));
    const config = join(folder, 'server.conf');
    writeFileSync(config, 'max_payload: 64MB\n');
    const server = await startServer('--config', config);
    const connection = await connect({ servers: server.address });
    connection.subscribe(SUBJECT, {
      callback: (_error, message) => message.respond(answer(message.data)),
    });
    await connection.flush();
    return {
      address: server.address,
      async close() {
        await connection.close();
        server.stop();
        rmSync(folder, { recursive: true });
      },
    };
  },

  async connect(address) {
    const connection = await connect({ servers: address });
    return {
      call: async (request) =>
        (await connection.request(SUBJECT, request, { timeout: 30_000 })).data,
      callElsewhere: undefined,
      close: () => connection.close(),
    };
  },
};

// NATS, after the README of `nats`: a responder and `request`, over a server of its own that runs
// on the responder's core. Its CPU is the nats-server's besides, which the table does not count. A
// server takes messages of 1 MiB unless it is told otherwise.

import { connect } from 'nats';
import { startNatsServer } from '../../examples/local-nats/dist/index.js';

const SUBJECT = 'bench.answer';

/** @type {Record<string, import('../dist/adapters/adapter.js').Adapter>} */
export const adapters = {
  nats: {
    async serve(answer) {
      const server = await startNatsServer({ config: 'max_payload: 64MB' });
      const connection = await connect({ servers: server.address });
      connection.subscribe(SUBJECT, {
        callback: (_error, message) => message.respond(answer(message.data)),
      });
      await connection.flush();
      return {
        address: server.address,
        async close() {
          await connection.close();
          await server.kill();
        },
      };
    },

    async connect(address) {
      const connection = await connect({ servers: address });
      return {
        call: async (request) =>
          (await connection.request(SUBJECT, request, { timeout: 30_000 })).data,
        close: () => connection.close(),
      };
    },
  },
};

// gRPC over HTTP/2, after grpc.io/docs/languages/node/basics: the service from its .proto, a unary
// call, one channel. Its messages are limited to 4 MiB by default, which the ones beside small
// calls reach.

import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const { bench } = /** @type {any} */ (
  loadPackageDefinition(loadSync(fileURLToPath(new URL('bench.proto', import.meta.url))))
);
const LIMITS = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

/** @type {import('../dist/adapters/adapter.js').Adapter} */
export const adapter = {
  name: 'grpc-js',

  async serve(answer) {
    const server = new Server(LIMITS);
    server.addService(bench.Bench.service, {
      answer: (call, reply) => reply(null, { body: answer(call.request.body) }),
    });
    const port = await new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return { address: `127.0.0.1:${port}`, close: async () => server.forceShutdown() };
  },

  async connect(address) {
    const client = new bench.Bench(address, credentials.createInsecure(), LIMITS);
    await new Promise((resolve, reject) => {
      client.waitForReady(Date.now() + 5_000, (error) =>
        error ? reject(error) : resolve(undefined),
      );
    });
    return {
      call: (body) =>
        new Promise((resolve, reject) => {
          client.answer({ body }, (error, reply) => (error ? reject(error) : resolve(reply.body)));
        }),
      callElsewhere: undefined,
      close: async () => client.close(),
    };
  },
};

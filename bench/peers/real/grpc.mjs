// gRPC over HTTP/2 whose messages are JSON: a service without a .proto names the functions that
// serialize them.

import { promisify } from 'node:util';
import {
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { FORMS, service } from '../../dist/real/work.js';
import { tlsOf } from '../../dist/secure/nodes.js';

const METHODS = {
  echo: method('echo', FORMS.small, FORMS.small),
  place: method('place', FORMS.order, FORMS.order),
  list: method('list', FORMS.page, FORMS.orders),
  items: method('items', FORMS.page, FORMS.small, true),
};
const Bench = makeGenericClientConstructor(METHODS, 'bench');

/** @type {import('../../dist/real/library.js').Library} */
export const library = {
  async serve(carrier) {
    const server = new Server();
    server.addService(METHODS, {
      echo: unary(service.echo),
      place: unary(service.place),
      list: unary(service.list),
      items(call) {
        for (const item of service.items(call.request)) call.write(item);
        call.end();
      },
    });
    const { ca, key, cert } = await pems('server');
    const secured =
      carrier === 'TLS'
        ? ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true)
        : ServerCredentials.createInsecure();
    const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', secured);
    return { address: `127.0.0.1:${port}`, close: async () => server.forceShutdown() };
  },

  async connect(carrier, address) {
    const { ca, key, cert } = await pems('client');
    const secured =
      carrier === 'TLS'
        ? credentials.createSsl(ca, key, cert, { checkServerIdentity: () => undefined })
        : credentials.createInsecure();
    const client = /** @type {any} */ (
      new Bench(address, secured, { 'grpc.ssl_target_name_override': 'localhost' })
    );
    await promisify(client.waitForReady.bind(client))(Date.now() + 5_000);
    const call = (name) => (request) =>
      new Promise((resolve, reject) => {
        client[name](request, (error, reply) => (error ? reject(error) : resolve(reply)));
      });
    return {
      echo: call('echo'),
      place: call('place'),
      list: call('list'),
      async items(request, take) {
        for await (const item of client.items(request)) take(item);
      },
      close: async () => client.close(),
    };
  },
};

function method(name, request, response, responseStream = false) {
  return {
    path: `/bench/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  };
}

function unary(answer) {
  return (call, reply) => reply(null, answer(call.request));
}

async function pems(role) {
  const { key, cert, ca } = await tlsOf(role);
  return { key: Buffer.from(key), cert: Buffer.from(cert), ca: Buffer.from(ca) };
}

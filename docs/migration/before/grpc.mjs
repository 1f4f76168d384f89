import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const { shop } = loadPackageDefinition(
  loadSync(fileURLToPath(new URL('shop.proto', import.meta.url))),
);

const server = new Server();
server.addService(shop.Orders.service, {
  place: ({ request }, reply) => reply(null, { text: `${request.item} ordered` }),
  follow(call) {
    for (const text of ['packed', 'sent']) call.write({ text });
    call.end();
  },
});
const port = await new Promise((resolve, reject) => {
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});

const client = new shop.Orders(`127.0.0.1:${port}`, credentials.createInsecure());
const { text } = await new Promise((resolve, reject) => {
  client.place({ item: 'apples' }, { deadline: Date.now() + 5_000 }, (error, reply) =>
    error === null ? resolve(reply) : reject(error),
  );
});
console.log(text);
for await (const step of client.follow({ item: 'apples' })) console.log(step.text);
client.close();
server.forceShutdown();

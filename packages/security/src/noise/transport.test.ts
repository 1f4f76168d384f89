// Tests secured backends of a transport. The identity suite tests which ends connect, and which
// errors and events both ends see.

import {
  bytes,
  createTransport,
  defineProtocol,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import test, { type ExecutionContext } from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { secured } from './create-noise-stream-layer.ts';

const protocol = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
type Echo = typeof protocol;

test('backends of createTransport are secured by their scheme, each with its own lists', async (t) => {
  const world = inmem();
  const [ada, bob] = [createIdentity(), createIdentity()];
  const [atServer, atClient] = [
    secured(world, { identity: bob }),
    secured(world, { identity: ada }),
  ];
  const server = createTransport('inmem://bob', {
    protocol,
    backends: [atServer, secured(tcp(), { identity: bob })],
  });
  const client = createTransport({ protocol, backends: [atClient, tcp()] });
  t.teardown(() => Promise.all([server.close(), client.close()]));
  serve(server);
  await server.listen();
  t.deepEqual(await client.send('inmem://bob', 'echo', Uint8Array.of(1)), Uint8Array.of(1));
  t.is(client.remotes()[0]!.nodeId, bob.nodeId);
  atServer.updatePeers({ deny: [ada.nodeId] });
  t.is((await failure(t, client.send('inmem://bob', 'echo', Uint8Array.of(1)))).reason, 'denied');
});

function serve(transport: Transport<Echo>): void {
  void (async () => {
    for await (const rpc of transport.consumer()) rpc.respond(rpc.request);
  })();
}

function failure(t: ExecutionContext, promise: PromiseLike<unknown>): Promise<TransportError> {
  return t.throwsAsync<TransportError>(async () => promise, { instanceOf: TransportError });
}
